/** The work on the items of a feed whose run has been claimed. */
import { QuiesceError, type Problem } from '../../../errors.ts';
import type { WorkerSettings } from '../../../config.ts';
import { isEnded } from '../../../protocol/api/is-ended.ts';
import type { SpooledFeed } from '../../../protocol/workers/mirror-job.ts';
import type { RunRecord } from '../../../protocol/api/runs.ts';
import type { Runtime } from '../../process/runtime.ts';
import { workOnFeed, type ItemLimits } from './handle.ts';
import type { ItemSteps } from './messages.ts';

export function itemLimitsOf({ sync }: WorkerSettings): ItemLimits {
  return { maxBytes: sync.maxBytes, timeout: sync.runTimeout };
}

/** `items`: where the array is in a JSON feed; lines have no envelope. */
export function withItems(feed: SpooledFeed, items: string): SpooledFeed {
  return feed.format === 'json' && items !== '' ? { ...feed, items } : feed;
}

/** If the run ends, for example because an operator cancels it, the work ends as well. */
export async function workForRun(
  runtime: Runtime,
  run: string,
  feed: SpooledFeed,
  steps: ItemSteps,
  settings: WorkerSettings,
): Promise<SpooledFeed> {
  const { link } = runtime;
  const over = new AbortController();
  const look = ({ state, error }: RunRecord): void => {
    if (isEnded(state)) over.abort(QuiesceError.fromProblem(error as Problem));
  };
  const { current, stop } = await link.watch(run, look);
  try {
    look(current);
    return await link.unlessLost(workOnFeed(feed, steps, { ...itemLimitsOf(settings), signal: over.signal }));
  } finally {
    stop();
  }
}
