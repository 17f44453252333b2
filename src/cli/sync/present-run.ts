/** Asks the app for the sync in progress. */
import { runList } from '../../protocol/api/generated-answer-checks.js';
import { isEnded } from '../../protocol/api/is-ended.ts';
import type { RunRecord } from '../../protocol/api/runs.ts';

/** Returns the sync in progress, as the app reports it. Rejects if the app does not answer. */
export async function presentRun(route: URL): Promise<RunRecord | undefined> {
  const response = await fetch(new URL(route.pathname, route), { signal: AbortSignal.timeout(5000) });
  const body: unknown = await response.json();
  if (!runList(body)) throw new Error(`${route.pathname} does not answer with a list of runs`);
  return body.items.find(({ kind, state }) => kind === 'sync' && !isEnded(state));
}
