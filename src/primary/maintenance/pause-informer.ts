/**
 * Sends shut gates what they answer to refused requests: the holds, and an estimate that is renewed during the pause.
 */
import type { PauseInfo } from '../../protocol/messages.ts';
import type { HoldStatus, ScheduledHoldStatus } from '../../protocol/runs.ts';
import { estimatePause } from './estimate.ts';
import { timeNow } from './loop.ts';
import { holds, type OperatorHold, type State } from './state.ts';
import type { WorkerPort } from '../ports.ts';
import type { RunStore } from '../runs/history.ts';

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
export function scheduledOf({ scheduled }: Pick<State, 'scheduled'>): { scheduled?: ScheduledHoldStatus } {
  if (scheduled === null) return {};
  const { at, lasts, reason, by } = scheduled;
  return {
    scheduled: {
      at: iso(at),
      ...(lasts === null ? {} : { until: iso(at + lasts) }),
      ...(reason === null ? {} : { reason }),
      ...(by === null ? {} : { by }),
    },
  };
}

/** The way in exists only if the operator alone holds the gates, and no run is about to. */
export function wayInOf({ operator, site, run, unfinished }: State): Pick<PauseInfo, 'wayIn'> {
  if (operator === null || site !== null || holds(run) || unfinished.length > 0) return {};
  return { wayIn: { secret: operator.pass ?? null } };
}

export function holdsOf({ operator, run, site }: State): HoldStatus[] {
  const list: HoldStatus[] = [];
  if (run !== null && run.held !== null) {
    list.push({ kind: run.kind, reason: run.exec?.reason ?? `run ${run.id}`, since: iso(run.held.wall) });
  }
  // The hold of this host's own run is listed above, or will be in a moment.
  if (site !== null && (site.run === null || site.run !== run?.id))
    list.push(shownHold(site.kind === 'operator' ? 'cluster' : site.kind, site));
  if (operator !== null) list.push({ ...shownHold('operator', operator), ...(operator.pass && { wayIn: true }) });
  return list;
}

function shownHold(kind: HoldStatus['kind'], { reason, since, until, by }: OperatorHold): HoldStatus {
  return {
    kind,
    reason,
    since: iso(since),
    ...(until === null ? {} : { until: iso(until) }),
    ...(by === null ? {} : { by }),
  };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
