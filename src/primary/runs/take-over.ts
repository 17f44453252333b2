/** Takes over what a former primary left in the data directory: unfinished runs to go on with, and files to remove. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import { QuiesceError } from '../../errors.ts';
import { clearFolder, makeDurably } from '../data-dir/durable.ts';
import { isEnded } from '../../protocol/api/is-ended.ts';
import type { Journal } from './recovery/journal.ts';
import type { RunStore } from './history/history.ts';
import type { SyncRuns } from './feeds/feed-runs.ts';
import { spoolDirOf } from '../fleet/worker-settings.ts';

export interface TakeOverDeps {
  readonly dataDir: string;
  readonly journal: Journal;
  readonly runs: RunStore;
  readonly sync: SyncRuns;
  readonly log: Logger;
}

/** Returns the runs to be rolled forward, the oldest first. Call with the lock held, before anything else is started. */
export async function takeOver({ dataDir, journal, runs, sync, log }: TakeOverDeps): Promise<string[]> {
  const unfinished: string[] = [];
  const needed = new Set<string>();
  for (const entry of await journal.unfinished()) {
    const known = runs.get(entry.run);
    if (known && isEnded(known.state)) {
      await journal.remove(entry.run); // it had ended; only the clean-up is missing
      continue;
    }
    if (entry.before) {
      await journal.remove(entry.run);
      runs.add(known ?? { id: entry.run, kind: 'sync', state: 'preparing', startedAt: entry.startedAt });
      const what = 'The primary ended before `before` of mirror() had run. Nothing was written; send the feed again.';
      await runs.end(entry.run, { state: 'failed', error: new QuiesceError('run-failed', what).toProblem() });
      continue;
    }
    unfinished.push(entry.run);
    needed.add(entry.feed.path);
    const { run: id, startedAt } = entry;
    runs.add({ ...(known ?? { id, kind: 'sync', startedAt }), state: 'rolling-forward' });
    runs.note(id, 'The primary ended while it was going on; the next one has rolled it forward.');
    sync.restore(entry);
    log.warn(
      { run: id, state: entry.state },
      `run ${id} was left unfinished and is rolled forward before the cluster serves`,
    );
  }
  for (const { id, kind } of runs.unended()) {
    if (unfinished.includes(id)) continue;
    const what =
      kind === 'sync'
        ? 'The primary ended before the feed was complete. Nothing was changed.'
        : 'The primary ended while it was going on.';
    await runs.end(id, { state: 'failed', error: new QuiesceError('run-failed', what).toProblem() });
  }
  for (const dir of [spoolDirOf(dataDir), join(dataDir, 'work')]) {
    await makeDurably(dir);
    await clearFolder(dir, (path) => needed.has(path));
  }
  return unfinished;
}
