/**
 * What a feed would change, found in a thread of its own: it neither waits for a run nor keeps one waiting.
 *
 * nobody's ──begin──▶ uploading (of one worker) ──run──▶ comparing ──▶ nobody's
 *                         └─(end: its upload came to nothing, or the worker is gone)─▶ nobody's
 *
 * One in the whole cluster: so at most one feed, of `sync.max_bytes`, is in the spool beside that of a run.
 */
import type { AppConfig } from '../../config.ts';
import { QuiesceError } from '../../errors.ts';
import type { MirrorThread } from '../../mirror/handle.ts';
import type { DryRunReport } from '../../protocol/messages.ts';
import type { CompleteMirrorOptions, SpooledFeed } from '../../protocol/mirror-job.ts';
import type { WorkerRef } from '../ports.ts';
import { jobOf } from './mirror-job.ts';
import { newRunId } from './id.ts';
import { digestOf, round } from './report.ts';
import { keyOf } from '../worker-ref.ts';

type State = { readonly is: 'uploading'; readonly worker: string } | { readonly is: 'comparing' };

export class DryRuns {
  readonly #inForce: { readonly config: AppConfig };
  readonly #thread: () => MirrorThread;
  #state: State | null = null;

  constructor(inForce: { readonly config: AppConfig }, thread: () => MirrorThread) {
    this.#inForce = inForce;
    this.#thread = thread;
  }

  /** @throws QuiesceError `run-in-progress` where another dry run is going on */
  begin(worker: WorkerRef): null {
    if (this.#state !== null)
      throw new QuiesceError('run-in-progress', 'Another dry run is going on. Try again when it has ended.');
    this.#state = { is: 'uploading', worker: keyOf(worker) };
    return null;
  }

  /** Nothing happens where that worker uploads nothing. */
  end(worker: WorkerRef): null {
    if (this.#isUploading(worker)) this.#state = null;
    return null;
  }

  /**
   * For the worker that has begun it.
   * @throws QuiesceError `run-timeout` after `sync.run_timeout`, or what is wrong with the feed
   */
  async run(worker: WorkerRef, feed: SpooledFeed, mirror: CompleteMirrorOptions): Promise<DryRunReport> {
    if (!this.#isUploading(worker))
      throw new QuiesceError('bad-request', `Worker ${keyOf(worker)} has not begun a dry run.`);
    this.#state = { is: 'comparing' };
    const started = performance.now();
    const { itemsMs = 0 } = feed;
    const thread = this.#thread();
    let isLate = false;
    const { runTimeout } = this.#inForce.config.sync;
    const timer = setTimeout(() => {
      isLate = true;
      void thread.close(0); // it may be stuck, and then hears nothing
    }, runTimeout);
    try {
      const run = newRunId(new Date());
      const { items, prepareMs } = await thread.prepare({
        ...jobOf(this.#inForce.config, run, feed, mirror),
        dryRun: true,
      });
      const { counts, scanMs } = await thread.plan(run);
      const total = performance.now() - started + feed.uploadMs + itemsMs;
      return {
        feed: { items, bytes: feed.bytes, digest: digestOf(feed) },
        counts,
        timings: {
          upload: round(feed.uploadMs),
          prepare: round(prepareMs + itemsMs),
          scan: round(scanMs),
          total: round(total),
        },
      };
    } catch (error) {
      throw isLate ? new QuiesceError('run-timeout', `The dry run was not done after ${runTimeout} ms.`) : error;
    } finally {
      clearTimeout(timer);
      await thread.close();
      this.#state = null;
    }
  }

  #isUploading(worker: WorkerRef): boolean {
    return this.#state?.is === 'uploading' && this.#state.worker === keyOf(worker);
  }
}
