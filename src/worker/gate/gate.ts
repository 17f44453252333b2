/**
 * The part of a worker that admits, refuses or holds requests and counts those in flight.
 *
 * starting ──resume──▶ open ──pause──▶ shut ──resume──▶ open      (starting ──pause──▶ shut)
 * any ──primary lost──▶ lost, for good
 *
 * While it is starting, requests wait briefly for the primary's first message: a fresh worker answers neither 200 during
 * a pause nor a needless 503. Only a message from the primary opens the gate.
 */
import { AsyncResource } from 'node:async_hooks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { InFlightRequest, PauseInfo } from '../../protocol/workers/messages.ts';
import type { RequestTimes } from '../../protocol/workers/request-times.ts';
import type { GateState } from '../../protocol/words.ts';
import { describe } from './in-flight/departed.ts';
import type { Entry } from './in-flight/entry.ts';
import type { GateLease } from './gate-lease.ts';
import type { Held, HoldLimits } from './shut/held.ts';
import { InFlight } from './in-flight/in-flight.ts';
import { PauseWork } from './events/pause-work.ts';
import { Search } from './routes/search.ts';
import { SlowReaders } from './in-flight/slow-readers.ts';

/** How long a request waits for the primary's first message, ms. */
const startupWait = 5_000;

export class Gate {
  #state: GateState = 'starting';
  #epoch = 0;
  #info: PauseInfo = { holds: [], run: null, retryAfter: 1_000 };
  #infoAt = performance.now();
  #shutAt = 0;
  #drainedEpoch = -1;
  readonly #held = new Set<Held>();
  #holds = true;
  readonly #inFlight = new InFlight(() => {
    if (this.#state === 'shut') this.#reportIfDrained();
  });
  /** Searches for unreferenced responses only while a drain, or the end of this process, waits for them. */
  readonly #search = new Search(() => (this.#state === 'shut' || this.#ending) && this.#inFlight.isDeserted);
  readonly #slowReaders = new SlowReaders({
    needed: () => this.#state === 'shut' && this.#inFlight.count > 0,
    entries: () => this.#inFlight.counted(),
    leave: (entry) => this.#inFlight.leave(entry),
    cutOff: (entry) => {
      const label = describe(entry.req!);
      this.#onCutOff({ ...label, age: Math.round(performance.now() - entry.since) });
      this.#inFlight.cutOff(entry);
    },
  });
  /** The work that the app stops in a pause: a drain waits for that too. */
  readonly work: PauseWork = new PauseWork(() => {
    if (this.#state === 'shut') this.#reportIfDrained();
  });
  /** Called when the gate has shut or opened, before anything is admitted. */
  onTurn: (to: 'shut' | 'open') => void = () => {};
  /** With several hosts: limits how long the gate may be open. */
  lease: GateLease | null = null;
  /** Exclusive handlers and hooks at work in a pause. No drain waits for them, but the end of a lease does. */
  #ofRuns = 0;
  #ending = false;
  readonly #onCutOff: (request: InFlightRequest) => void;
  readonly #onDrained: (epoch: number) => void;
  served = 0;
  refused = 0;

  /**
   * `onDrained` is called once for each pause, when no request is in flight any more; `onCutOff` for each request that
   * is cut off because its client reads nothing of the answer.
   */
  constructor(onDrained: (epoch: number) => void, onCutOff: (request: InFlightRequest) => void = () => {}) {
    this.#onDrained = onDrained;
    this.#onCutOff = onCutOff;
  }

  get state(): GateState {
    return this.#state;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get info(): PauseInfo {
    return this.#info;
  }

  get inFlight(): number {
    return this.#inFlight.count;
  }

  /** Whether nothing is at work: nothing that a drain waits for, and nothing of a run. */
  get isAtRest(): boolean {
    return this.#ofRuns === 0 && this.oldest(1).length === 0;
  }

  /**
   * Counts work that runs in a pause. Returns a function to call at its end; null if the lease is over: do not start
   * it.
   */
  beginOfRun(): (() => void) | null {
    if (this.lease?.isOver() === true) return null;
    this.#ofRuns++;
    return () => this.#ofRuns--;
  }

  /** The number of requests in flight, for code that waits for them before this process ends. */
  countUnfinished(): number {
    this.#ending = true;
    this.#search.begin();
    return this.#inFlight.count;
  }

  /** How long requests took. */
  get times(): RequestTimes {
    return this.#inFlight.times;
  }

  /** How long the gate has been shut, ms; 0 while it is open. */
  get shutFor(): number {
    return this.#state === 'open' ? 0 : performance.now() - this.#shutAt;
  }

  /** Whole seconds, at least 1: what `Retry-After` should say now. */
  get retryAfter(): number {
    return Math.max(1, Math.ceil((this.#info.retryAfter - (performance.now() - this.#infoAt)) / 1000));
  }

  /** Must be called when node:http reports that the response of a request was sent. */
  finished(req: IncomingMessage): void {
    this.#inFlight.finished(req, this.#state !== 'open');
  }

  has(req: IncomingMessage): boolean {
    return this.#inFlight.has(req);
  }

  /** The one hot path: tests and counts in one synchronous step. `undefined` if the gate is not open. */
  tryEnter(req: IncomingMessage, res: ServerResponse): Entry | undefined {
    if (this.#state !== 'open') return undefined;
    if (this.lease !== null && this.lease.isOver()) return this.shutForLease();
    this.served++;
    return this.#inFlight.enter(req, res);
  }

  /** Counts a request that may pass whatever the gate's state: one that requests an exclusive run. */
  enterShut(req: IncomingMessage, res: ServerResponse): Entry {
    this.served++;
    const entry = this.#inFlight.enter(req, res);
    this.#slowReaders.begin();
    return entry;
  }

  /** The way in for a request now; null if there is none. */
  get wayIn(): NonNullable<PauseInfo['wayIn']> | null {
    if (this.#state !== 'shut' || this.lease?.isOver() === true) return null;
    return this.#info.wayIn ?? null;
  }

  /** Counts a request that passes the hold of an operator: the pause of a run waits for it. */
  enterHeld(req: IncomingMessage, res: ServerResponse): Entry | undefined {
    if (this.wayIn === null) return undefined;
    this.served++;
    return this.#inFlight.enter(req, res);
  }

  /** Lets the request wait until the gate opens, or until it must be refused. */
  hold(req: IncomingMessage, res: ServerResponse, limits: HoldLimits, admit: () => void, refuse: () => void): void {
    const startup = this.#state === 'starting';
    if (!this.#holds || this.#state === 'lost' || (!startup && this.#held.size >= limits.limit)) return refuse();
    const leave = (held: Held): boolean => {
      clearTimeout(held.timer);
      return this.#held.delete(held);
    };
    const held: Held = {
      req,
      res,
      startup: startup && limits.limit === 0,
      timer: setTimeout(() => held.refuse(), startup ? Math.max(startupWait, limits.timeout) : limits.timeout),
      // In the async context of the request, as the handlers before the gate have set it, not in that of the resume.
      admit: AsyncResource.bind(() => {
        // A pipelined request whose client has left gets no event: its handler is not started.
        if (leave(held) && !req.socket.destroyed) admit();
      }),
      refuse: AsyncResource.bind(() => {
        if (leave(held)) refuse();
      }),
    };
    this.#held.add(held);
    res.once('close', () => leave(held));
  }

  exempt(entry: Entry): void {
    this.#inFlight.exempt(entry);
  }

  wait(entry: Entry, promise: PromiseLike<unknown>): boolean {
    if (entry.left && !entry.settled) {
      if (this.#state === 'shut' && this.#drainedEpoch === this.#epoch) return false;
      this.#inFlight.rejoin(entry);
    }
    return this.#inFlight.wait(entry, promise);
  }

  /** What a drain waits for, at most `limit` entries. */
  oldest(limit = 20): InFlightRequest[] {
    return [...this.work.list(), ...this.#inFlight.list(limit)].slice(0, limit);
  }

  /** Ignores messages of an older epoch: they are late. */
  pause(epoch: number, info: PauseInfo): void {
    if (this.#state === 'lost' || epoch < this.#epoch) return;
    const turns = this.#state !== 'shut';
    if (turns) this.#shutAt = performance.now();
    this.#state = 'shut';
    this.#epoch = epoch;
    this.#drainedEpoch = -1; // a repeated pause is answered again
    this.inform(epoch, info);
    if (turns) this.onTurn('shut');
    if (turns) this.#search.reset();
    this.work.stop();
    for (const held of this.#held) if (held.startup) held.refuse();
    this.#reportIfDrained();
  }

  /** Shuts without a message from the primary, which may be stopped. Only such a message opens the gate again. */
  shutForLease(): undefined {
    if (this.#state !== 'open') return;
    const since = new Date().toISOString();
    const hold = { kind: 'cluster', reason: 'the lease of this host is over', since } as const;
    this.pause(this.#epoch, { holds: [hold], run: null, retryAfter: 5_000 });
  }

  inform(epoch: number, info: PauseInfo): void {
    if (epoch < this.#epoch) return;
    this.#info = info;
    this.#infoAt = performance.now();
  }

  resume(epoch: number): void {
    if (this.#state === 'lost' || epoch < this.#epoch) return;
    // The message may be as old as a stop of this process. The primary repeats it if a heartbeat contradicts it.
    if (this.lease?.isOver() === true) return;
    const turns = this.#state === 'shut';
    this.#state = 'open';
    this.#epoch = epoch;
    this.#info = { holds: [], run: null, retryAfter: 1_000 };
    if (turns) this.onTurn('open');
    this.work.start();
    for (const held of this.#held) held.admit();
  }

  /** The primary is gone. Nothing opens this gate again. */
  lose(): void {
    if (this.#state !== 'shut') this.#shutAt = performance.now();
    this.#state = 'lost';
    for (const held of this.#held) held.refuse();
  }

  done(entry: Entry): void {
    this.#inFlight.done(entry);
  }

  finish(entry: Entry): void {
    this.#inFlight.finish(entry);
  }

  cut(epoch: number): void {
    if (epoch !== this.#epoch || this.#state !== 'shut') return;
    for (const entry of this.#inFlight.counted()) this.#inFlight.cutOff(entry);
    for (const held of this.#held) held.refuse(); // a handler that does not end now is killed with its process
  }

  /** The process will end: answers the waiting requests now, since the process is gone at the resume. */
  dismiss(): void {
    this.#holds = false;
    for (const held of this.#held) held.refuse();
  }

  #reportIfDrained(): void {
    if (this.#inFlight.count > 0) {
      this.#search.begin();
      return this.#slowReaders.begin();
    }
    if (!this.work.isStopped) return; // it reports by itself
    if (this.#drainedEpoch === this.#epoch) return;
    this.#drainedEpoch = this.#epoch;
    this.#onDrained(this.#epoch);
  }
}
