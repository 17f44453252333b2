/**
 * Gives a feed that the primary has fetched to a worker, whose `mirror()` takes it as it takes a PUT: it claims a run,
 * lets `transform` and `validate` of the app work on the items, and hands the feed over. Only the app knows these.
 */
import { QuiesceError, type Problem } from '../../errors.ts';
import type { SpooledFeed } from '../../protocol/workers/mirror-job.ts';
import type { OutgoingMessage, WorkerEvents, WorkerRef } from '../ports.ts';
import { keyOf } from '../worker-ref.ts';

/** What a worker is to do. */
export interface FeedOrder {
  readonly feed: SpooledFeed;
  /** Where it came from, as it may be shown. */
  readonly source: string;
  readonly collection: string | null;
  readonly scope?: Record<string, unknown> | null;
}

interface Waiting {
  readonly worker: string;
  resolve(run: string): void;
  reject(error: QuiesceError): void;
}

export class Deliveries {
  readonly #waiting = new Map<string, Waiting>();

  /**
   * Resolves with the id of the run when the feed is the primary's own again.
   * @param feed its file has a name that says that this worker has spooled it
   * @throws QuiesceError what the worker refuses it with
   */
  deliver(
    id: string,
    worker: WorkerRef,
    order: FeedOrder,
    send: (ref: WorkerRef, message: OutgoingMessage) => boolean,
  ): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { worker: keyOf(worker), resolve, reject });
      const message: OutgoingMessage = { type: 'take-feed', epoch: 0, delivery: id, ...order };
      if (!send(worker, message)) this.#end(id, ({ reject: refuse }) => refuse(gone()));
    });
  }

  /** Sees what workers send, before `events` does. */
  between(events: WorkerEvents): WorkerEvents {
    return {
      ...events,
      message: (ref, message) => {
        if (message.type === 'feed-taken') {
          const { delivery, run, problem } = message;
          this.#end(delivery, (waiting) => {
            if (run !== undefined) waiting.resolve(run);
            else waiting.reject(QuiesceError.fromProblem(problem as Problem));
          });
        }
        events.message(ref, message);
      },
      gone: (ref, exit) => {
        for (const [id, { worker }] of this.#waiting)
          if (worker === keyOf(ref)) this.#end(id, ({ reject }) => reject(gone()));
        events.gone(ref, exit);
      },
    };
  }

  #end(id: string, how: (waiting: Waiting) => void): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (waiting) how(waiting);
  }
}

function gone(): QuiesceError {
  return new QuiesceError('fetch-failed', 'The worker that was given the feed has gone. Nothing was changed.');
}
