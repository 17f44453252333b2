import { z } from 'zod';
import { isEnded } from '../protocol/is-ended.ts';
import { runRecord, type RunRecord } from '../protocol/runs.ts';

const runList = z.object({ items: z.array(runRecord) });

/** The sync that is going on, as the app itself tells it. Rejects where it tells nothing. */
export async function presentRun(route: URL): Promise<RunRecord | undefined> {
  const response = await fetch(new URL(route.pathname, route), { signal: AbortSignal.timeout(5000) });
  const { items } = runList.parse(await response.json());
  return items.find(({ kind, state }) => kind === 'sync' && !isEnded(state));
}
