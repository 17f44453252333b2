/**
 * Finds requests that a drain waits for in vain, because their clients do not read.
 *
 * If the handler has ended the response, it is no longer at work: only sending is left, and the request leaves the
 * drain. If the handler still writes to a client that reads nothing, the connection is cut after a while, so that the
 * handler notices; the request counts until the handler has ended.
 */
import type { ServerResponse } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import type { TrackedSocket } from '../../process/connections.ts';
import type { Entry } from './entry.ts';

/**
 * How often to look, ms: by then, data for a client that reads is sent, and the app's listeners for that were called.
 */
const lookEvery = 50;
/** How long a client may read nothing of the data that waits for it, ms. */
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

  /** Must be called when a drain starts, or a request joins it. */
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

/** A number that changes whenever the client reads something; null if no data waits for it. */
function takenFrom(res: Response, socket: WithHandle): number | null {
  const { stream } = res;
  if (stream !== undefined) return stream.writableNeedDrain ? -stream.writableLength : null;
  const unsent = socket.writableLength + (socket._handle?.writeQueueSize ?? 0);
  return unsent > 0 || res.writableNeedDrain ? socket.bytesWritten - unsent : null;
}
