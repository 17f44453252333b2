/** Reports, in the log and in the run's notes, a client that read nothing of its answer while a drain waited for it. */
import type { Logger } from 'pino';
import type { InFlightRequest } from '../../protocol/workers/messages.ts';
import type { WorkerRef } from '../ports.ts';
import type { RunStore } from './history/history.ts';

export function tellCutOff(
  { log, runs }: { readonly log: Pick<Logger, 'warn'>; readonly runs: Pick<RunStore, 'note'> },
  run: string | undefined,
  ref: WorkerRef,
  request: InFlightRequest,
): void {
  const note = noteOf(request);
  log.warn({ ...ref, request }, note);
  if (run !== undefined) runs.note(run, note);
}

/** Everybody who may read runs can see it. A path may contain a secret, so the note names the route instead. */
function noteOf({ method, route, age }: InFlightRequest): string {
  const which = `${method}${route === undefined ? ' request' : ` ${route}`}`;
  return `A ${which}, ${Math.round(age / 1_000)} s old, was cut off in the drain: its client read nothing of the answer for 5 s.`;
}
