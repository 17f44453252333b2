/**
 * Follows each request from its admission until all its work has ended.
 *
 * open ──(response or socket closed)──▶ gone ──(handler is done with the response)──▶ ended ──(no promise left)──▶ settled
 *
 * `close` alone proves nothing: a client that aborts closes the response while the handler works on. And a pipelined
 * request whose client leaves gets no event at all on Node 20 and 22, so the socket is watched too.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { InFlightRequest } from '../../../protocol/workers/messages.ts';
import { countTime, noRequestTimes, type RequestTimes } from '../../../protocol/workers/request-times.ts';
import type { TrackedSocket } from '../../process/connections.ts';
import { closedByHandler, describe, whenHandlerIsDone } from './departed.ts';
import { entryOf, newEntry, type Entry } from './entry.ts';

// A registered symbol: the app may have its own copy of the package.
const kOpen = Symbol.for('quiesce.open');
const kCut = Symbol.for('quiesce.cut');

type CountedSocket = TrackedSocket & { [kOpen]?: number; [kCut]?: true };

export class InFlight {
  readonly #times: RequestTimes = noRequestTimes();
  /** The counted requests are a linked list: a set would have to compute a hash for each first. */
  #count = 0;
  #oldest: Entry | null = null;
  #newest: Entry | null = null;
  /** How many of them have lost their client while their handler is not done. */
  #departed = 0;
  readonly #exempt = new Set<Entry>();
  readonly #onLeave: () => void;
  readonly #onSocketClose: (this: TrackedSocket) => void;
  readonly #leave = (entry: Entry): void => this.#left(entry);
  #leaving: Entry | null = null;
  /** When its response was sent: its duration must not grow until the next look. */
  #leftAt = 0;

  /** `onLeave` is called each time a request stops counting, or its client has gone. */
  constructor(onLeave: () => void) {
    this.#onLeave = onLeave;
    const leftWith = (socket: TrackedSocket): void => this.#leftWith(socket);
    this.#onSocketClose = function () {
      leftWith(this);
    };
  }

  get count(): number {
    this.#flush();
    return this.#count;
  }

  /** Whether every counted request has lost its client. */
  get isDeserted(): boolean {
    this.#flush();
    return this.#count > 0 && this.#count === this.#departed;
  }

  get times(): RequestTimes {
    this.#flush();
    return this.#times;
  }

  /**
   * The response of a request was sent: a report of node:http costs less than a listener on each response. The app's
   * own listeners run next and may call waitUntil(), so the request leaves only after them: in a later turn if
   * something waits for it, otherwise with the next request that leaves, or at the next look.
   */
  finished(req: IncomingMessage, isAwaited: boolean): void {
    const entry = entryOf(req);
    if (entry === undefined) return;
    this.#flush();
    if (isAwaited || !entry.counts) process.nextTick(this.#leave, entry);
    else {
      this.#leaving = entry;
      this.#leftAt = performance.now();
    }
  }

  /** Admits and counts in one synchronous step. */
  enter(req: IncomingMessage, res: ServerResponse): Entry {
    const socket: CountedSocket = req.socket;
    const entry = newEntry(req, res, socket);
    this.#add(entry);
    // node:http reports nothing for a request that its parser does not handle, as in HTTP/2.
    if (socket.parser?.incoming !== req) res.on('close', () => this.#left(entry));
    const open = socket[kOpen];
    // First, before node:http closes the response, which unpipes what was piped into it.
    if (open === undefined) socket.prependListener('close', this.#onSocketClose);
    socket[kOpen] = (open ?? 0) + 1;
    // The client left while the request was held: no later event reports that.
    if (socket.destroyed) this.#left(entry);
    return entry;
  }

  /** Whether the request has been admitted. */
  has(req: IncomingMessage): boolean {
    return entryOf(req) !== undefined;
  }

  /** The request no longer counts but is followed until it settles: an exclusive run's own request. */
  exempt(entry: Entry): void {
    if (!entry.counts) return;
    if (entry.departed && !entry.ended) this.#departed--;
    this.#remove(entry);
    if (!entry.settled) this.#exempt.add(entry);
    this.#onLeave();
  }

  /** Keeps the entry from settling until the promise has settled. False if it is too late for that. */
  wait(entry: Entry, promise: PromiseLike<unknown>): boolean {
    if (entry.res?.closed) this.#flush();
    if (entry.settled) return false;
    entry.waits++;
    const done = (): void => {
      entry.waits--;
      this.#settle(entry);
    };
    promise.then(done, done);
    return true;
  }

  /** The handler is known to be done, whether or not it has ended the response to a client that has gone. */
  finish(entry: Entry): void {
    if (entry.gone) this.#end(entry);
  }

  /** The handler is known to be done with the socket, which now lives on for something else. */
  done(entry: Entry): void {
    if (!entry.gone) this.#release(entry, false);
    this.#end(entry);
  }

  /** The counted requests, the oldest first. */
  counted(): Iterable<Entry> {
    this.#flush();
    return this.#byAge();
  }

  leave(entry: Entry): void {
    entry.left = true;
    this.exempt(entry);
  }

  /** Counts a request again that has left. */
  rejoin(entry: Entry): void {
    entry.left = false;
    if (this.#exempt.delete(entry)) this.#add(entry);
  }

  /** Cuts its connection; its handler may still run. */
  cutOff({ socket, res }: Entry): void {
    if (socket === null) return;
    const { stream } = res as { stream?: ServerHttp2Stream };
    if (stream !== undefined) return stream.close(constants.NGHTTP2_CANCEL);
    (socket as CountedSocket)[kCut] = true;
    socket.destroy();
  }

  /** The oldest first; `age` in ms. */
  list(limit: number): InFlightRequest[] {
    this.#flush();
    const now = performance.now();
    const list: InFlightRequest[] = [];
    for (const entry of this.#byAge()) {
      if (list.length === limit) break;
      list.push({
        ...(entry.label ?? describe(entry.req!)),
        age: Math.round(now - entry.since),
        ...(entry.gone && !entry.ended ? { clientGone: true } : {}),
      });
    }
    return list;
  }

  #leftWith(socket: CountedSocket): void {
    this.#flush();
    if (!socket[kOpen]) return;
    const shared = socket[kOpen] > 1;
    for (const entries of [this.#byAge(), this.#exempt]) {
      for (const entry of entries) {
        if (entry.socket !== socket) continue;
        const hungUp = !socket[kCut] && closedByHandler(entry.req!, entry.res!, socket, shared);
        this.#left(entry, undefined, hungUp, shared);
      }
    }
  }

  #flush(): void {
    const entry = this.#leaving;
    this.#leaving = null;
    if (entry !== null) this.#left(entry, this.#leftAt);
  }

  #add(entry: Entry): void {
    entry.counts = true;
    entry.older = this.#newest;
    if (this.#newest === null) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
    this.#count++;
  }

  #remove(entry: Entry): void {
    const { older, newer } = entry;
    if (older === null) this.#oldest = newer;
    else older.newer = newer;
    if (newer === null) this.#newest = older;
    else newer.older = older;
    entry.counts = false;
    entry.older = null;
    entry.newer = null;
    this.#count--;
  }

  /** The counted requests, the oldest first; the current one may be removed meanwhile. */
  *#byAge(): Generator<Entry> {
    for (let entry = this.#oldest, next: Entry | null; entry !== null; entry = next) {
      next = entry.newer;
      yield entry;
    }
  }

  /** `shared` is true by default: if the socket did not report it, as in HTTP/2, other requests may use the socket. */
  #left(entry: Entry, at?: number, hungUp = false, shared = true): void {
    if (entry.gone) return;
    const res = entry.res!;
    const socket = entry.socket!;
    const ended = res.writableEnded || hungUp;
    this.#release(entry, !ended);
    if (ended) return this.#end(entry, at);
    entry.departed = true;
    whenHandlerIsDone(res, socket, shared, () => this.#end(entry));
    if (!entry.counts) return;
    this.#departed++;
    this.#onLeave();
  }

  #release(entry: Entry, isDescribed: boolean): void {
    if (isDescribed || entry.waits > 0) entry.label = describe(entry.req!);
    const socket: CountedSocket = entry.socket!;
    socket[kOpen] = (socket[kOpen] ?? 1) - 1;
    entry.gone = true;
    entry.req = null;
    entry.res = null;
    entry.socket = null;
  }

  #end(entry: Entry, at?: number): void {
    if (entry.ended) return;
    entry.ended = true;
    if (entry.counts && entry.departed) this.#departed--;
    this.#settle(entry, at);
  }

  #settle(entry: Entry, at = performance.now()): void {
    if (entry.settled || !entry.ended || entry.waits > 0) return;
    entry.settled = true;
    countTime(this.#times, at - entry.since);
    if (entry.counts) {
      this.#remove(entry);
      this.#onLeave();
    } else {
      this.#exempt.delete(entry);
    }
    entry.onSettled?.();
  }
}
