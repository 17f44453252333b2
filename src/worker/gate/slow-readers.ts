/**
 * Requests that a drain waits for in vain, since their clients do not read.
 *
 * A response that its handler has ended is no handler at work: what is left is to be sent, and the request leaves the
 * drain. Where a handler still writes to a client that takes nothing, the connection is cut after a while, so that the
 * handler learns of it; the request counts until that has ended.
 */
import type { ServerResponse } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import type { TrackedSocket } from '../process/connections.ts';
import type { Entry } from './entry.ts';

/** What is flushed to a client that reads has gone out by then, and the app's listeners of that have been called, ms. */
const lookEvery = 50;
/** How long a client may take nothing of what is there for it, ms. */
const patience = 5_000;

export interface Waiting {
  /** Whether a drain waits at all. */
  needed(): boolean;
  entries(): Iterable<Entry>;
  leave(entry: Entry): void;
  cutOff(entry: Entry): void;
}

interface Seen {
  readonly ended: boolean;
  readonly taken: number;
  readonly at: number;
}

type Response = ServerResponse & { readonly stream?: ServerHttp2Stream };
type WithHandle = TrackedSocket & { _handle?: { readonly writeQueueSize?: number } | null };

export class SlowReaders {
  readonly #waiting: Waiting;
  #seen = new Map<Entry, Seen>();
  #timer: NodeJS.Timeout | null = null;

  constructor(waiting: Waiting) {
    this.#waiting = waiting;
  }

  /** To be called when a drain begins, or something joins it. */
  begin(): void {
    if (this.#timer !== null || !this.#waiting.needed()) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#look(performance.now());
      this.begin();
    }, lookEvery).unref();
  }

  #look(now: number): void {
    const before = this.#seen;
    this.#seen = new Map();
    if (!this.#waiting.needed()) return;
    for (const entry of this.#waiting.entries()) {
      if (entry.gone) continue;
      const last = before.get(entry);
      const ended = entry.res!.writableEnded;
      if (ended && last?.ended === true && entry.waits === 0) {
        this.#waiting.leave(entry);
        continue;
      }
      const taken = takenFrom(entry.res!, entry.socket!);
      if (taken === null || taken !== last?.taken) this.#seen.set(entry, { ended, taken: taken ?? -1, at: now });
      else if (now - last.at < patience) this.#seen.set(entry, { ...last, ended });
      else this.#waiting.cutOff(entry);
    }
  }
}

/** How much its client has taken, in some measure that any progress changes; null where nothing is there to be taken. */
function takenFrom(res: Response, socket: WithHandle): number | null {
  const { stream } = res;
  if (stream !== undefined) return stream.writableNeedDrain ? -stream.writableLength : null;
  const unsent = socket.writableLength + (socket._handle?.writeQueueSize ?? 0);
  return unsent > 0 || res.writableNeedDrain ? socket.bytesWritten - unsent : null;
}
