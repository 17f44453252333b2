/** Fetches what a host that is gone has left of its run, for this one to finish it. */
import type { Logger } from 'pino';
import { QuiesceError } from '../../errors.ts';
import { removeHeld } from '../data-dir/durable.ts';
import { quietly } from '../runs/history/quietly.ts';
import type { SyncRuns } from '../runs/feeds/feed-runs.ts';
import type { RunStore } from '../runs/history/history.ts';
import type { GridFeeds } from './grid-feeds.ts';

export interface TakeFeedDeps {
  readonly feeds: Pick<GridFeeds, 'fetch'>;
  readonly runs: RunStore;
  readonly sync: SyncRuns;
  readonly log: Logger;
}

/**
 * Resolves when this host can finish the run, or knows that it has ended: nothing is written before its `before`.
 * @throws QuiesceError where the feed cannot be fetched, or not be made durable here
 */
export async function takeFeed(run: string, { feeds, runs, sync, log }: TakeFeedDeps): Promise<void> {
  const { entry, record } = await feeds.fetch(run, sync.spoolDir);
  const { owner: _worker, progress: _progress, ...known } = record;
  runs.add({ ...known, state: 'rolling-forward' });
  runs.note(run, 'The host that it began at is gone; another host has rolled it forward.');
  if (entry.before) {
    const what = 'Its host was lost before `before` of mirror() had run. Nothing was written; send the feed again.';
    await runs.end(run, { state: 'failed', error: new QuiesceError('run-failed', what).toProblem() });
    await quietly(log, removeHeld(entry.feed.path), run);
    return sync.kept.remove(run);
  }
  await sync.takeOver(entry);
  log.warn({ run }, `run ${run} was left by a host that is gone, and is rolled forward here before any host serves`);
}
