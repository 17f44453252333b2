/** Connects the sources of feeds to the running site. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { QuiesceError } from '../../errors.ts';
import { until } from '../maintenance/changes.ts';
import { isForRun, type State } from '../maintenance/machine/state.ts';
import type { OutgoingMessage, WorkerRef } from '../ports.ts';
import type { InForce } from '../reload/reloads.ts';
import type { RunStore } from '../runs/history/history.ts';
import type { Ticks } from '../ticks.ts';
import { spoolDirOf } from '../fleet/worker-settings.ts';
import type { BroughtSources } from './brought.ts';
import type { Deliveries } from './deliveries.ts';
import { fetchInThread } from './fetch.ts';
import { FeedSources } from './sources.ts';

export interface SourcesStart {
  readonly inForce: InForce;
  readonly state: () => State;
  readonly onChange: (listener: () => void) => () => void;
  readonly send: (ref: WorkerRef, message: OutgoingMessage) => boolean;
  readonly deliveries: Deliveries;
  readonly brought: BroughtSources;
  readonly runs: RunStore;
  readonly isTaken: (path: string) => boolean;
  readonly ticks: Ticks;
  readonly fetchFailed: (source: string, error: QuiesceError) => void;
  readonly log: Logger;
}

export function feedSources(start: SourcesStart): FeedSources {
  const { inForce, state, onChange, send, deliveries, brought, runs, isTaken, fetchFailed, ticks, log } = start;
  const { dataDir } = inForce.config;
  return new FeedSources({
    workDir: join(dataDir, 'work'),
    spoolDir: spoolDirOf(dataDir),
    maxBytes: () => inForce.config.sync.maxBytes,
    fetch: fetchInThread,
    // During a reload, workers of two versions of the app serve.
    worker: (source) => servingWorker(state(), (ref) => source.scope === undefined || brought.isOf(ref, source)),
    deliver: (id, worker, order) => deliveries.deliver(id, worker, order, send),
    runs,
    isTaken,
    obstacle: () => obstacleIn(state()),
    noRun: (signal) => until(() => mayClaim(state()), onChange, signal),
    ticks,
    onFailure: fetchFailed,
    log,
  });
}

export function servingWorker({ workers }: State, may: (ref: WorkerRef) => boolean): WorkerRef | null {
  return [...workers.values()].find((worker) => worker.greeted && worker.gate === 'open' && may(worker)) ?? null;
}

/**
 * Why no feed can be taken now: a PUT would get 503. A run in progress is no obstacle, of whatever host: the feed waits
 * for its end.
 */
export function obstacleIn({ run, site, phase, stopping }: State): string | null {
  if (stopping) return 'the site stops';
  return run !== null || isForRun(site) || phase === 'serving' ? null : 'the site is held';
}

/**
 * No run is in the way. While the primary may be replaced its claims are refused, so the feed waits. If the primary stays,
 * the feed is mirrored; if not, it is dropped, and the next primary fetches at the next time of the schedule.
 */
export function mayClaim({ run, site, stopping, handingOver }: State): boolean {
  return stopping || (run === null && !isForRun(site) && !handingOver);
}
