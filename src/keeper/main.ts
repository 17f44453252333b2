/**
 * The keeper: what `quiesce start` is. It starts the primary and keeps the sockets that the app listens on, so that
 * connections wait in the kernel's queue while a primary that has died is replaced. It reads no configuration, accepts
 * no connection and loads next to nothing: what does little has little reason to die.
 *
 * Its end is the end of its primaries, which hear it from their channel.
 */
import { writeSync } from 'node:fs';
import { constants } from 'node:os';
import { ownerOf } from './handover.ts';
import { newKeeper, type App, type Effect, type End, type Event, type Keeper } from './state.ts';
import { nextTick, step, wordsOf } from './step.ts';
import { PrimaryProcess } from './primary-process.ts';
import { passedSockets } from './passed-sockets.ts';
import { stopWithNpx } from './npx.ts';
import { severalVariable } from '../protocol/keeper-names.ts';
import type { Former, Handle, LaunchedApp, SocketName, ToKeeper } from '../protocol/keeper.ts';

interface Socket {
  readonly name: SocketName;
  readonly handle: Handle;
}

interface Running {
  readonly process: PrimaryProcess;
  /** Looks at it since its last sign of life; null before the first, which a busy machine may hold up for long. */
  silent: number | null;
}

/** What belongs to an app beside what `step` knows of it. */
interface Place {
  readonly app: LaunchedApp | null;
  readonly sockets: Map<string, Socket>;
  readonly running: Map<number, Running>;
}

/** What a primary does with them is in docs/signals.md. */
const passedOn: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGTTIN', 'SIGTTOU'];

/** How often a primary is looked after, ms, and after how many looks without a sign of life it is given up. */
const lookEvery = 5_000;
const mostSilent = 6;

/** @param main the command's main file. Returns how to end when every primary has. */
export function keep(main: string, args: readonly string[]): Promise<End> {
  stopWithNpx();
  return new Promise((resolve) => new Keeping(main, args, resolve).begin());
}

/** As the primary has ended: by the same signal, where it was one. */
export function endAs({ code, signal }: End): number {
  if (signal === null) return code;
  const number = constants.signals[signal as NodeJS.Signals];
  // Not where it is PID 1, whom no signal ends that it does not handle.
  if (number !== undefined) process.kill(process.pid, signal);
  return number === undefined ? code : 128 + number;
}

class Keeping {
  readonly #args: readonly string[];
  readonly #passed: readonly string[] = passedSockets(process.env, process.pid);
  readonly #resolve: (end: End) => void;
  #places: Place[] = [newPlace(null)];
  #state: Keeper;
  #timer: NodeJS.Timeout | undefined;
  #look: NodeJS.Timeout | undefined;
  readonly #handlers = passedOn.map((signal) => [signal, () => this.#dispatch({ type: 'signal', signal })] as const);

  constructor(main: string, args: readonly string[], resolve: (end: End) => void) {
    const called = process.argv[1] ?? null;
    this.#state = newKeeper({ node: process.execPath, main, called, folder: null });
    this.#args = args;
    this.#resolve = resolve;
  }

  begin(): void {
    for (const [signal, handler] of this.#handlers) process.on(signal, handler);
    this.#look = setInterval(() => this.#lookAfter(), lookEvery);
    this.#dispatch({ type: 'begin' });
  }

  #dispatch(event: Event): void {
    const { keeper, effects } = step(this.#state, event, performance.now());
    this.#state = keeper;
    for (const effect of effects) this.#run(effect);
    clearTimeout(this.#timer);
    const at = nextTick(this.#state);
    if (at !== null) this.#timer = setTimeout(() => this.#dispatch({ type: 'tick' }), at - performance.now());
  }

  #run(effect: Effect): void {
    switch (effect.type) {
      case 'start':
        return this.#start(effect);
      case 'signal':
        return this.#places[effect.app]?.running.get(effect.process)?.process.signal(effect.signal);
      case 'tell':
        return this.#tell(effect);
      case 'close':
        return closeAll(this.#places[effect.app]!);
      case 'ready':
        // PM2 listens for this (`wait_ready`); nobody else is disturbed by it.
        process.send?.('ready', () => undefined);
        return;
      case 'say':
        return say(effect.text);
      case 'end':
        clearInterval(this.#look);
        for (const [signal, handler] of this.#handlers) process.off(signal, handler);
        return this.#resolve(effect.end);
      default:
        effect satisfies never;
    }
  }

  #start({ app, process: id, build, again, beside, former }: Extract<Effect, { type: 'start' }>): void {
    const place = this.#places[app]!;
    const env = { ...process.env, ...(place.app === null ? {} : { [severalVariable]: '1' }) };
    const args = place.app === null ? this.#args : ['start', ...place.app.args];
    const started = new PrimaryProcess(
      { build, args, env, passed: this.#passed, group: place.app !== null },
      {
        message: (message, handle) => this.#message(app, id, message, handle),
        gone: (how) => {
          place.running.delete(id);
          this.#dispatch({ type: 'gone', app, process: id, how });
        },
      },
    );
    place.running.set(id, { process: started, silent: null });
    // One beside the owner gets them when it takes over: until then they may change.
    if (!beside) sendSockets(place, started);
    started.send({ type: 'begin', again, beside, former: this.#formers(place, former) });
  }

  #tell({ app, process: id, order, how }: Extract<Effect, { type: 'tell' }>): void {
    const place = this.#places[app]!;
    const told = place.running.get(id)?.process;
    if (told === undefined) return;
    switch (order.type) {
      case 'take':
        sendSockets(place, told);
        return told.send({ type: 'take', former: this.#formers(place, order.former) });
      case 'successor-failed': {
        const words = how === undefined ? 'it has gone' : `it ended with ${wordsOf(how)}`;
        return told.send({ type: 'successor-failed', error: how?.error ?? { code: null, message: words } });
      }
      case 'leave': {
        const owner = ownerOf(this.#state.apps[app]!.site)?.id ?? 0;
        return told.send({ type: 'leave', pid: place.running.get(owner)?.process.pid ?? null });
      }
      default:
        return told.send(order);
    }
  }

  #formers({ running }: Place, ids: readonly number[]): Former[] {
    return ids.flatMap((id) => {
      const pid = running.get(id)?.process.pid;
      return pid === undefined || pid === null ? [] : { id, pid };
    });
  }

  #message(app: number, id: number, message: ToKeeper, handle: Handle | undefined): void {
    const place = this.#places[app]!;
    const from = place.running.get(id);
    const site = this.#state.apps[app]?.site;
    if (from === undefined || site?.primaries.some((each) => each.id === id) !== true) return handle?.close();
    from.silent = 0;
    // What one that has handed over, or has not taken over yet, says of sockets is not for the site.
    const isOwner = ownerOf(site)?.id === id;
    switch (message.type) {
      case 'keep':
        if (!isOwner) return handle?.close();
        if (handle !== undefined) place.sockets.set(message.id, { name: message.name, handle });
        return;
      case 'close':
        if (!isOwner) return;
        place.sockets.get(message.id)?.handle.close();
        return void place.sockets.delete(message.id);
      case 'close-all':
        if (isOwner) closeAll(place);
        return from.process.send({ type: 'closed' });
      case 'ready':
        return this.#dispatch({ type: 'said', app, process: id, word: { type: 'serving' } });
      case 'replace':
      case 'stay':
      case 'prepared':
      case 'yielded':
        return this.#dispatch({ type: 'said', app, process: id, word: message });
      case 'apps':
        if (!isOwner) return;
        for (const former of this.#places) closeAll(former);
        this.#places = message.apps.map(newPlace);
        return this.#dispatch({ type: 'apps', names: message.apps.map(({ name }) => name) });
      case 'beat':
      case 'ending':
        return;
      default:
        message satisfies never;
    }
  }

  /** Counts looks and not time, so that a machine that slept is no reason. */
  #lookAfter(): void {
    for (const [index, { running }] of this.#places.entries())
      for (const each of running.values()) this.#lookAt(each, this.#state.apps[index]);
  }

  #lookAt(each: Running, app: App | undefined): void {
    if (each.silent === null || ++each.silent <= mostSilent) return;
    const seconds = (mostSilent * lookEvery) / 1000;
    say(`the primary of ${app?.name} has given no sign of life for ${seconds} s and is killed.`);
    each.process.signal('SIGKILL');
  }
}

function newPlace(app: LaunchedApp | null): Place {
  return { app, sockets: new Map(), running: new Map() };
}

function sendSockets({ sockets }: Place, to: PrimaryProcess): void {
  for (const [id, { name, handle }] of sockets) to.send({ type: 'socket', id, name }, handle);
}

function closeAll({ sockets }: Place): void {
  for (const { handle } of sockets.values()) handle.close();
  sockets.clear();
}

/** Not by process.stderr, which would make a pipe that the primary writes to non-blocking. */
function say(text: string): void {
  try {
    writeSync(2, `quiesce: ${text}\n`);
  } catch {
    // Nobody reads it.
  }
}
