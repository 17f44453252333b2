/** Asks the app for the sync in progress. */
import { z } from 'zod';
import { isEnded } from '../../protocol/is-ended.ts';
import { runRecord, type RunRecord } from '../../protocol/runs.ts';

const runList = z.object({ items: z.array(runRecord) });

/** Returns the sync in progress, as the app reports it. Rejects if the app does not answer. */
export async function presentRun(route: URL): Promise<RunRecord | undefined> {
  const response = await fetch(new URL(route.pathname, route), { signal: AbortSignal.timeout(5000) });
  const { items } = runList.parse(await response.json());
  return items.find(({ kind, state }) => kind === 'sync' && !isEnded(state));
}
