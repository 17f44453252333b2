/**
 * The keeper: the process of `quiesce start`. It starts the primary and keeps the app's listening sockets open, so that
 * connections wait in the kernel's queue while a dead primary is replaced. It reads no configuration, accepts no
 * connection and loads very little code, so there is little that can make it fail.
 *
 * When the keeper ends, its primaries see their channel close and end too.
 */
import { writeSync } from 'node:fs';
import { constants } from 'node:os';
import { ownerOf } from './handover.ts';
import { lookEvery, newKeeper, type Effect, type End, type Event, type Keeper } from './state.ts';
import { nextTick, step, wordsOf } from './step.ts';
import { PrimaryProcess } from './primary-process.ts';
import { passedSockets, type Passed } from './passed-sockets.ts';
import { stopWithNpx } from './npx.ts';
import { toQuiesceError } from '../errors.ts';
import { severalVariable } from '../protocol/keeper/names.ts';
import type { Former, Handle, LaunchedApp, SocketName, ToKeeper } from '../protocol/keeper/messages.ts';

interface Socket {
  readonly name: SocketName;
  readonly handle: Handle;
}

/** The processes and sockets of one app. The rest of its state is in `Keeper`. */
interface Place {
  readonly app: LaunchedApp | null;
  readonly sockets: Map<string, Socket>;
  readonly running: Map<number, PrimaryProcess>;
}

/** The signals that the keeper passes on. docs/signals.md says what a primary does with each. */
const passedOn: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGTTIN', 'SIGTTOU'];

/**
 * Runs the keeper until every primary has ended.
 *
 * @param main the command's main file
 *
 * @returns how the keeper is to end
 */
export async function keep(main: string, args: readonly string[]): Promise<End> {
  stopWithNpx();
  let passed: Passed;
  try {
    passed = passedSockets(process.env, process.pid);
  } catch (error) {
    const { message, exitCode } = toQuiesceError(error);
    say(message);
    return { code: exitCode, signal: null };
  }
  if (passed.warning !== null) say(`warning: ${passed.warning}`);
  return new Promise((resolve) => new Keeping(main, args, passed.names, resolve).begin());
}

/**
 * Ends this process as the primary ended: by the same signal if there was one.
 *
 * @returns the exit code if it still lives
 */
export function endAs({ code, signal }: End): number {
  if (signal === null) return code;
  const number = constants.signals[signal as NodeJS.Signals];
  // As PID 1 this process survives: the kernel drops signals that PID 1 does not handle.
  if (number !== undefined) process.kill(process.pid, signal);
  return number === undefined ? code : 128 + number;
}

class Keeping {
  readonly #args: readonly string[];
  readonly #passed: readonly string[];
  readonly #resolve: (end: End) => void;
  #places: Place[] = [newPlace(null)];
  #state: Keeper;
  #timer: NodeJS.Timeout | undefined;
  #look: NodeJS.Timeout | undefined;
  readonly #handlers = passedOn.map((signal) => [signal, () => this.#dispatch({ type: 'signal', signal })] as const);

  constructor(main: string, args: readonly string[], passed: readonly string[], resolve: (end: End) => void) {
    const called = process.argv[1] ?? null;
    this.#passed = passed;
    this.#state = newKeeper({ node: process.execPath, main, called, folder: null });
    this.#args = args;
    this.#resolve = resolve;
  }

  begin(): void {
    for (const [signal, handler] of this.#handlers) process.on(signal, handler);
    this.#look = setInterval(() => this.#dispatch({ type: 'look' }), lookEvery);
    this.#dispatch({ type: 'begin' });
  }

  #dispatch(event: Event): void {
    const { keeper, effects } = step(this.#state, event, performance.now());
    this.#state = keeper;
    for (const effect of effects) this.#run(effect);
    clearTimeout(this.#timer);
    const at = nextTick(this.#state);
    const wait = Math.max(0, (at ?? 0) - performance.now());
    if (at !== null) this.#timer = setTimeout(() => this.#dispatch({ type: 'tick' }), wait);
  }

  #run(effect: Effect): void {
    switch (effect.type) {
      case 'start':
        return this.#start(effect);
      case 'signal':
        return this.#places[effect.app]?.running.get(effect.process)?.signal(effect.signal);
      case 'tell':
        return this.#tell(effect);
      case 'close':
        return closeAll(this.#places[effect.app]!);
      case 'ready':
        // PM2 waits for this message if `wait_ready` is set; other parents ignore it.
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
    place.running.set(id, started);
    // A primary beside the owner gets the sockets when it takes over: until then they may change.
    if (!beside) sendSockets(place, started);
    started.send({ type: 'begin', again, beside, former: this.#formers(place, former) });
  }

  #tell({ app, process: id, order, how }: Extract<Effect, { type: 'tell' }>): void {
    const place = this.#places[app]!;
    const told = place.running.get(id);
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
        return told.send({ type: 'leave', pid: place.running.get(owner)?.pid ?? null });
      }
      default:
        return told.send(order);
    }
  }

  #formers({ running }: Place, ids: readonly number[]): Former[] {
    return ids.flatMap((id) => {
      const pid = running.get(id)?.pid;
      return pid === undefined || pid === null ? [] : { id, pid };
    });
  }

  #message(app: number, id: number, message: ToKeeper, handle: Handle | undefined): void {
    const place = this.#places[app]!;
    const from = place.running.get(id);
    const site = this.#state.apps[app]?.site;
    if (from === undefined || site?.primaries.some((each) => each.id === id) !== true) return handle?.close();
    this.#dispatch({ type: 'heard', app, process: id });
    // Only the owner's messages about sockets count: others have handed over, or have not taken over yet.
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
        return from.send({ type: 'closed' });
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

/** Writes to descriptor 2 directly: process.stderr would make the pipe, which the primary shares, non-blocking. */
function say(text: string): void {
  try {
    writeSync(2, `quiesce: ${text}\n`);
  } catch {
    // The reader of stderr has gone.
  }
}
