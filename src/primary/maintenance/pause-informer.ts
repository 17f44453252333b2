/**
 * Sends shut gates what they answer to refused requests: the holds, and an estimate that is renewed during the pause.
 */
import type { PauseInfo } from '../../protocol/workers/messages.ts';
import type { HoldStatus, ScheduledHoldStatus } from '../../protocol/api/runs.ts';
import { estimatePause } from './estimate.ts';
import { timeNow } from './loop.ts';
import { holds, type OperatorHold, type ScheduledHold, type State } from './machine/state.ts';
import type { WorkerPort } from '../ports.ts';
import type { RunStore } from '../runs/history/history.ts';

/** How often shut gates get a new estimate, ms. */
const interval = 1_000;

export class PauseInformer {
  readonly #runs: RunStore;
  readonly #port: WorkerPort;
  #timer: NodeJS.Timeout | undefined;

  constructor(runs: RunStore, port: WorkerPort) {
    this.#runs = runs;
    this.#port = port;
  }

  info(state: State): PauseInfo {
    const last = this.#runs.find((run) => run.report !== undefined && run.report.timings.paused > 0);
    const progress = state.run === null ? undefined : this.#runs.get(state.run.id)?.progress;
    const retryAfter = estimatePause(state, progress, { lastPaused: last?.report?.timings.paused ?? null }, timeNow());
    const run = state.run?.id ?? state.site?.run ?? null;
    return { holds: holdsOf(state), run, retryAfter, ...wayInOf(state) };
  }

  run(on: boolean, state: () => State): void {
    clearInterval(this.#timer);
    if (!on) return;
    this.#timer = setInterval(() => this.#tell(state()), interval);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tell(state: State): void {
    const info = this.info(state);
    for (const worker of state.workers.values()) {
      if (worker.greeted) this.#port.send(worker, { type: 'pause-info', epoch: state.epoch, info });
    }
  }
}

/** The scheduled hold, for the status. */
export function scheduledOf(scheduled: ScheduledHold | null, allHosts = false): { scheduled?: ScheduledHoldStatus } {
  if (scheduled === null) return {};
  const { at, lasts, reason, by } = scheduled;
  return {
    scheduled: {
      at: iso(at),
      ...(lasts === null ? {} : { until: iso(at + lasts) }),
      ...(reason === null ? {} : { reason }),
      ...(by === null ? {} : { by }),
      ...(allHosts ? { allHosts } : {}),
    },
  };
}

/** The way in exists only if the operator alone holds the gates, and no run is about to. */
export function wayInOf({ operator, site, run, unfinished }: State): Pick<PauseInfo, 'wayIn'> {
  const isOperators = site === null || site.kind === 'operator';
  if (!isOperators || holds(run) || unfinished.length > 0) return {};
  const ofAll = site?.operator ?? null;
  if (operator !== null && ofAll !== null) return { wayIn: { secret: null } };
  const only = operator ?? ofAll;
  return only === null ? {} : { wayIn: { secret: only.pass ?? null } };
}

export function holdsOf({ operator, run, site }: State): HoldStatus[] {
  const list: HoldStatus[] = [];
  if (run !== null && run.held !== null) {
    list.push({ kind: run.kind, reason: run.exec?.reason ?? `run ${run.id}`, since: iso(run.held.wall) });
  }
  // The hold of this host's own run is listed above, or will be in a moment.
  if (site !== null && site.kind !== 'operator' && (site.run === null || site.run !== run?.id))
    list.push({ kind: site.kind, reason: site.reason, since: iso(site.since) });
  if (site !== null && site.operator !== null) list.push({ ...shownHold(site.operator), allHosts: true });
  if (operator !== null) list.push(shownHold(operator));
  return list;
}

function shownHold({ reason, since, until, by, pass }: OperatorHold): HoldStatus {
  return {
    kind: 'operator',
    reason,
    since: iso(since),
    ...(until === null ? {} : { until: iso(until) }),
    ...(by === null ? {} : { by }),
    ...(pass && { wayIn: true }),
  };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
