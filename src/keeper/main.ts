/**
 * The keeper: what `quiesce start` is. It starts the primary and keeps the sockets that the app listens on, so that
 * connections wait in the kernel's queue while a primary that has died is replaced. It reads no configuration, accepts
 * no connection and loads next to nothing: what does little has little reason to die.
 *
 * Its end is the end of its primaries, which hear it from their channel.
 */
import { writeSync } from 'node:fs';
import { constants } from 'node:os';
import { newKeeper, type Effect, type End, type Event, type Keeper } from './state.ts';
import { nextTick, step } from './step.ts';
import { PrimaryProcess } from './primary-process.ts';
import { stopWithNpx } from './npx.ts';
import { severalVariable } from '../protocol/keeper-names.ts';
import type { Handle, LaunchedApp, SocketName, ToKeeper } from '../protocol/keeper.ts';

interface Socket {
  readonly name: SocketName;
  readonly handle: Handle;
}

/** What belongs to an app beside what `step` knows of it. */
interface Place {
  readonly app: LaunchedApp | null;
  readonly sockets: Map<string, Socket>;
  process: PrimaryProcess | null;
  /** Looks at it since its last sign of life; null before the first, which a busy machine may hold up for long. */
  silent: number | null;
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
  readonly #main: string;
  readonly #args: readonly string[];
  readonly #resolve: (end: End) => void;
  #places: Place[] = [newPlace(null)];
  #state: Keeper = newKeeper();
  #timer: NodeJS.Timeout | undefined;
  #look: NodeJS.Timeout | undefined;
  readonly #handlers = passedOn.map((signal) => [signal, () => this.#dispatch({ type: 'signal', signal })] as const);

  constructor(main: string, args: readonly string[], resolve: (end: End) => void) {
    this.#main = main;
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
        return this.#places[effect.app]?.process?.signal(effect.signal);
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

  #start({ app, process: number, again }: Extract<Effect, { type: 'start' }>): void {
    const place = this.#places[app]!;
    place.silent = null;
    const env = { ...process.env, ...(place.app === null ? {} : { [severalVariable]: '1' }) };
    const args = place.app === null ? this.#args : ['start', ...place.app.args];
    const started = new PrimaryProcess(
      { main: [this.#main, process.argv[1]], args, env, group: place.app !== null },
      {
        message: (message, handle) => this.#message(app, number, message, handle),
        gone: (how) => {
          if (place.process === started) place.process = null;
          this.#dispatch({ type: 'gone', app, process: number, how });
        },
      },
    );
    place.process = started;
    for (const [id, { name, handle }] of place.sockets) started.send({ type: 'socket', id, name }, handle);
    started.send({ type: 'begin', again });
  }

  #message(app: number, process: number, message: ToKeeper, handle: Handle | undefined): void {
    const place = this.#places[app]!;
    if (this.#state.apps[app]?.process !== process) return handle?.close();
    place.silent = 0;
    switch (message.type) {
      case 'keep':
        if (handle !== undefined) place.sockets.set(message.id, { name: message.name, handle });
        return;
      case 'close':
        place.sockets.get(message.id)?.handle.close();
        return void place.sockets.delete(message.id);
      case 'close-all':
        closeAll(place);
        return place.process?.send({ type: 'closed' });
      case 'ready':
        return this.#dispatch({ type: 'ready', app, process });
      case 'apps':
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
    for (const [index, place] of this.#places.entries()) {
      if (place.process === null || place.silent === null || ++place.silent <= mostSilent) continue;
      const seconds = (mostSilent * lookEvery) / 1000;
      say(`the primary of ${this.#state.apps[index]?.name} has given no sign of life for ${seconds} s and is killed.`);
      place.process.signal('SIGKILL');
    }
  }
}

function newPlace(app: LaunchedApp | null): Place {
  return { app, sockets: new Map(), process: null, silent: null };
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
