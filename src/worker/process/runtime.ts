/**
 * The state that gate, exclusive, mirror and listen share. There is one per process, even if the command and the app
 * each have a copy of the package.
 *
 * worker      forked by a quiesce primary
 * foreign     a cluster worker of another primary (PM2's cluster mode): exclusive work is refused
 * standalone  no cluster at all: a primary in the same process guards this one
 */
import cluster from 'node:cluster';
import { subscribe } from 'node:diagnostics_channel';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BlockList } from 'node:net';
import { QuiesceError, type ErrorCode } from '../../errors.ts';
import type { WorkerSettings } from '../../config.ts';
import { Announcements } from '../gate/events/announcements.ts';
import { Gate } from '../gate/gate.ts';
import { Opening } from '../gate/opening.ts';
import type { PauseEvent } from '../gate/events/site-events.ts';
import { allowedFrom } from '../gate/shut/pass.ts';
import { isBelow, plainPathOf } from '../gate/routes/target.ts';
import type { Grace } from '../../protocol/workers/messages.ts';
import { tracked } from './connections.ts';
import { startHeartbeat } from './heartbeat.ts';
import { Lease } from './lease.ts';
import { isQuiesceMessage, Link, type Transport } from './link.ts';
import { stopAccepting } from './stand-in.ts';

export type Mode = 'worker' | 'foreign' | 'standalone';

/** Makes a primary in this process: takes the function that sends to the worker, returns the one that sends to it. */
export type LocalPrimary = (toWorker: (message: unknown) => void) => Transport;

/** The options of `gate()` that also hold for requests that bypass the middleware. */
export interface GateRules {
  readonly hasExceptions: boolean;
  isExcepted(path: string): boolean;
  /** Whether this very expression is an exception. */
  excepts(expression: RegExp): boolean;
}

export class Runtime {
  readonly mode: Mode;
  readonly gate: Gate;
  readonly link: Link;
  /** The rules of the app's gate, once it has one. */
  rules: GateRules | null = null;
  /** Paths without a gate, from the configuration. Known when the settings are. */
  except: readonly string[] = [];
  /** The addresses that pass an operator's hold, from the configuration. */
  allow: BlockList | null = null;
  /** Paths of `health()`: checked only when a request would be refused. */
  readonly neverHeld = new Set<string>();
  /** What to do when the primary says stop; the process entry sets it. */
  onStop: (grace: Grace) => void = () => {};
  stopping = false;
  /** How many answers were problems, by code. */
  readonly problems: Record<string, number> = {};
  /** The app's own page for browsers during a pause. */
  page: string | null = null;
  readonly settings: Promise<WorkerSettings>;
  /** The app's listeners for pauses and runs. */
  readonly announcements: Announcements = new Announcements();

  constructor(mode: Mode, link: (receive: (message: unknown) => void) => Link) {
    this.mode = mode;
    this.gate = new Gate(
      (epoch) => this.link.send({ type: 'drained', epoch }),
      (request) => this.link.send({ type: 'cut-off', epoch: this.gate.epoch, request }),
    );
    this.gate.onTurn = (to) => {
      if (to === 'shut') this.announcements.tell('pause', this.pauseEvent());
      else this.announcements.tell('resume', { epoch: this.gate.epoch });
    };
    this.link = link((message) => this.link.receive(message));
    let beat: (() => void) | null = null;
    const opening = new Opening({
      tell: (event) => this.announcements.tellMirrored(event),
      open: (epoch) => {
        this.gate.resume(epoch);
        beat?.(); // reports the refusals of the pause, and the open gate
      },
    });
    this.settings = new Promise((resolve) => {
      this.link.onMessage((message) => {
        switch (message.type) {
          case 'welcome':
            if (beat !== null) return; // without a cluster the process greets again when a run of it was ended
            this.except = message.settings.maintenance.except;
            this.allow = allowedFrom(message.settings.maintenance.allow);
            resolve(message.settings);
            void this.#readPage(message.settings.maintenance.page);
            beat = startHeartbeat(this, message.settings.heartbeat.interval);
            return;
          case 'pause': {
            // The primary repeats `pause` at each heartbeat that is no answer, so only the first sends a heartbeat.
            const isNew = this.gate.state !== 'shut' || message.epoch > this.gate.epoch;
            this.gate.pause(message.epoch, message.info);
            if (isNew && this.gate.oldest(1).length > 0) beat?.(); // lists what the drain waits for
            return;
          }
          case 'pause-info':
            this.gate.inform(message.epoch, message.info);
            return opening.hear(message.mirrored ?? []);
          case 'resume':
            return opening.resume(message.epoch, message.mirrored ?? []);
          case 'lease':
            this.gate.lease ??= new Lease(this.gate);
            return this.gate.lease.renew(message);
          case 'cut':
            return this.gate.cut(message.epoch);
          case 'stop':
            this.stopping = true;
            // Requests in flight at the end of its time are cut off: this heartbeat lets the primary count them.
            if (beat !== null) setTimeout(beat, message.timeout * lastWords).unref();
            return this.onStop(message);
          default:
            return;
        }
      });
    });
  }

  /** The event for listeners of `pause`. */
  pauseEvent(): PauseEvent {
    const { epoch, info } = this.gate;
    return { epoch, holds: info.holds, run: info.run };
  }

  /** Reads the page once per worker: a refusal must not wait for a disk. On failure browsers get the built-in page. */
  async #readPage(file: string | null): Promise<void> {
    if (file === null) return;
    try {
      this.page = await readFile(file, 'utf8');
    } catch (error) {
      console.error(`quiesce: maintenance.page cannot be read, the built-in page is shown: ${String(error)}`);
    }
  }

  /** Whether the gate lets the request pass, uncounted, at any time. */
  isExcepted(req: IncomingMessage, rules = this.rules): boolean {
    const { except } = this;
    if (except.length === 0 && rules?.hasExceptions !== true) return false;
    const path = plainPathOf(req);
    return path !== null && (except.some((parent) => isBelow(path, parent)) || rules?.isExcepted(path) === true);
  }

  /** Throws if another supervisor has forked this process: exclusive work needs a whole cluster or a single process. */
  requirePrimary(): void {
    if (this.mode !== 'foreign') return;
    throw new QuiesceError(
      'no-primary',
      'This process is a cluster worker of another supervisor, so only one of several workers could be paused. ' +
        'Start the app with `quiesce start`; under PM2 run quiesce itself in fork mode (`quiesce startup pm2`).',
    );
  }
}

/** After this share of its time to finish, the worker reports to the primary what is still in flight. */
const lastWords = 0.95;

const kRuntime = Symbol.for('quiesce.runtime');
const shared = globalThis as { [kRuntime]?: Runtime };
let localPrimary: LocalPrimary | null = null;

/** Sets how to make a primary without a cluster. The package's entry calls it: a worker imports no primary code. */
export function provideLocalPrimary(factory: LocalPrimary): void {
  localPrimary ??= factory;
}

/** Does nothing without a runtime: then the count has no reader. */
export function countProblem(code: ErrorCode): void {
  const problems = shared[kRuntime]?.problems;
  if (problems !== undefined) problems[code] = (problems[code] ?? 0) + 1;
}

/** The app's own page; null if it has none. */
export function ownPage(): string | null {
  return shared[kRuntime]?.page ?? null;
}

export function getRuntime(): Runtime {
  return (shared[kRuntime] ??= create());
}

function create(): Runtime {
  const runtime = createForMode();
  subscribe('http.server.response.finish', (message) =>
    runtime.gate.finished((message as { request: IncomingMessage }).request),
  );
  return runtime;
}

function createForMode(): Runtime {
  const { QUIESCE_SLOT: slot, QUIESCE_INCARNATION: incarnation } = process.env;
  if (cluster.isWorker && slot !== undefined && incarnation !== undefined)
    return createWorker(Number(slot), Number(incarnation));
  return cluster.isWorker ? createForeign() : createStandalone();
}

function createWorker(slot: number, incarnation: number): Runtime {
  const runtime = new Runtime('worker', (receive) => {
    process.on('message', (message) => {
      if (isQuiesceMessage(message)) receive(message);
    });
    return new Link({ slot, incarnation }, (message, done) => {
      if (!process.connected) return done(new Error('the channel is closed'));
      process.send!(message, undefined, {}, done);
    });
  });
  leaveWithoutPrimary(runtime);
  runtime.link.send({ type: 'hello', epoch: 0, pid: process.pid });
  return runtime;
}

/** How long callers have to read their last answer after the primary is gone, ms. */
const lastAnswers = 250;

/**
 * A worker that has lost its primary exits. Node would exit at once, with code 0. This shuts the gate for good, answers
 * the callers that wait for the primary, and then exits. If the app's clean-up closes the channel, as clean-ups for
 * node:cluster do, the primary is not lost: it still limits the time.
 */
function leaveWithoutPrimary(runtime: Runtime): void {
  let byApp = false;
  const { disconnect } = process;
  process.disconnect = () => {
    byApp = true;
    disconnect.call(process);
  };
  cluster.worker!.prependListener('disconnect', () => {
    cluster.worker!.exitedAfterDisconnect = true; // keeps Node's own listener from exiting at once
    const cleansUp = runtime.stopping && byApp;
    runtime.stopping = true;
    runtime.gate.lose();
    runtime.link.lose();
    // If a keeper has the socket too, new connections wait for the next primary.
    for (const server of tracked.servers) stopAccepting(server);
    subscribe('http.server.request.start', (message) => {
      (message as { response: ServerResponse }).response.setHeader('Connection', 'close');
    });
    if (cleansUp) return;
    setTimeout(() => process.exit(1), lastAnswers);
  });
}

/** No primary ever answers; the gate guards nothing and stays open. */
function createForeign(): Runtime {
  const runtime = new Runtime(
    'foreign',
    () => new Link({ slot: 0, incarnation: 0 }, (_message, done) => done(new Error('no primary'))),
  );
  // Loaded only here: a worker of quiesce gets its settings in a message, faster than it could load the code that
  // checks them.
  void import('../../config/foreign.ts').then(({ foreignSettings }) =>
    runtime.link.receive({
      quiesce: 1,
      slot: 0,
      incarnation: 0,
      epoch: 0,
      type: 'welcome',
      settings: foreignSettings(process.env),
    }),
  );
  runtime.gate.resume(0);
  return runtime;
}

function createStandalone(): Runtime {
  const factory = localPrimary;
  if (factory === null) throw new Error('Import quiesce through its entry point.');
  const runtime = new Runtime('standalone', (receive) => {
    const send = factory(receive);
    return new Link({ slot: 0, incarnation: 0 }, send);
  });
  runtime.link.send({ type: 'hello', epoch: 0, pid: process.pid });
  return runtime;
}
