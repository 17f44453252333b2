/**
 * Finds what a feed would change, in a thread of its own: it does not wait for a run, and no run waits for it.
 *
 * free ──begin──▶ uploading (by one worker) ──run──▶ comparing ──▶ free
 *                     └─(end: its upload failed, or the worker is gone)─▶ free
 *
 * At most one in the whole cluster: so at most one feed, of `sync.max_bytes`, is in the spool besides that of a run.
 */
import type { AppConfig } from '../../../config.ts';
import { QuiesceError } from '../../../errors.ts';
import type { MirrorThread } from '../../../mirror/handle.ts';
import type { DryRunReport } from '../../../protocol/workers/messages.ts';
import type { CompleteMirrorOptions, SpooledFeed } from '../../../protocol/workers/mirror-job.ts';
import type { WorkerRef } from '../../ports.ts';
import { jobOf } from './mirror-job.ts';
import { newRunId } from '../history/id.ts';
import { digestOf, round } from '../history/report.ts';
import { keyOf } from '../../worker-ref.ts';

type State = { readonly is: 'uploading'; readonly worker: string } | { readonly is: 'comparing' };

export class DryRuns {
  readonly #inForce: { readonly config: AppConfig };
  readonly #thread: () => MirrorThread;
  #state: State | null = null;

  constructor(inForce: { readonly config: AppConfig }, thread: () => MirrorThread) {
    this.#inForce = inForce;
    this.#thread = thread;
  }

  get isGoingOn(): boolean {
    return this.#state !== null;
  }

  /** @throws QuiesceError `run-in-progress` if another dry run is in progress */
  begin(worker: WorkerRef): null {
    if (this.#state !== null)
      throw new QuiesceError('run-in-progress', 'Another dry run is in progress. Try again when it has ended.');
    this.#state = { is: 'uploading', worker: keyOf(worker) };
    return null;
  }

  /** Does nothing if that worker is not uploading. */
  end(worker: WorkerRef): null {
    if (this.#isUploading(worker)) this.#state = null;
    return null;
  }

  /**
   * Must be called by the worker that has called `begin`.
   * @throws QuiesceError `run-timeout` after `sync.run_timeout`, or the error of the feed
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
      void thread.close(0); // if it is stuck, it receives no message
    }, runTimeout);
    try {
      const run = newRunId(new Date(), null);
      const { items, prepareMs } = await thread.prepare({
        ...jobOf(this.#inForce.config, run, feed, mirror),
        dryRun: true,
      });
      const { counts, scanMs, note } = await thread.plan(run);
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
        ...(note === undefined ? {} : { notes: [note] }),
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
