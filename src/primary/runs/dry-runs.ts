/** What a feed would change, found in a thread of its own: it neither waits for a run nor keeps one waiting. */
import type { AppConfig } from '../../config.ts';
import { QuiesceError } from '../../errors.ts';
import type { MirrorThread } from '../../mirror/handle.ts';
import type { DryRunReport } from '../../protocol/messages.ts';
import type { mirrorOptions, SpooledFeed } from '../../protocol/mirror-job.ts';
import { jobOf } from './mirror-job.ts';
import { newRunId } from './id.ts';
import { digestOf, round } from './report.ts';

export class DryRuns {
  readonly #config: AppConfig;
  readonly #thread: () => MirrorThread;
  #running = false;

  constructor(config: AppConfig, thread: () => MirrorThread) {
    this.#config = config;
    this.#thread = thread;
  }

  /** @throws QuiesceError `run-in-progress` where another dry run is going on, or what is wrong with the feed */
  async run(feed: SpooledFeed, mirror: ReturnType<typeof mirrorOptions.parse>): Promise<DryRunReport> {
    if (this.#running) {
      throw new QuiesceError('run-in-progress', 'Another dry run is going on. Try again when it has ended.');
    }
    this.#running = true;
    const started = performance.now();
    const thread = this.#thread();
    try {
      const run = newRunId(new Date());
      const { items, prepareMs } = await thread.prepare({ ...jobOf(this.#config, run, feed, mirror), dryRun: true });
      const { counts, scanMs } = await thread.plan(run);
      const total = performance.now() - started + feed.uploadMs;
      return {
        feed: { items, bytes: feed.bytes, digest: digestOf(feed) },
        counts,
        timings: {
          upload: round(feed.uploadMs),
          prepare: round(prepareMs),
          scan: round(scanMs),
          total: round(total),
        },
      };
    } finally {
      this.#running = false;
      await thread.close();
    }
  }
}
