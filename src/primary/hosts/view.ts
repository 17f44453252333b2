/** What the view that this host has of the site document means for its own gates. Pure. */
import { isStranded, mayStillWork, type Site, type SiteRun } from '../../cluster/document.ts';
import { isHalfDone } from '../../cluster/founding.ts';
import { isIn, mayOpen, pauseFor, type Member } from '../../cluster/member.ts';
import type { SiteHold } from '../maintenance/machine/state.ts';

export interface Clocks {
  /** Monotonic, as deadlines are. */
  readonly monotonic: number;
  /** Epoch milliseconds. */
  readonly wall: number;
}

/**
 * @param trouble why MongoDB could not be reached last, or why this host cannot join; null where there is neither
 * @param before the hold that stands now
 */
export function holdFrom(
  member: Member,
  trouble: string | null,
  before: SiteHold | null,
  now: Clocks,
): SiteHold | null {
  if (mayOpen(member, now.monotonic)) return null;
  const pause = isIn(member) && now.monotonic <= member.deadline ? pauseFor(member) : null;
  if (pause === null) {
    const why = trouble === null ? '' : `: ${trouble}`;
    const reason = isIn(member) ? `the lease of this host is over${why}` : `this host is not in the cluster${why}`;
    return outside(reason, before?.kind === 'cluster' ? before.since : now.wall);
  }
  const { run, operator } = member.site!;
  if (run === null || run.epoch === null)
    return {
      kind: 'operator',
      reason: operator?.reason ?? '',
      since: operator?.since ?? now.wall,
      operator,
      epoch: pause,
      run: run?.id ?? null,
    };
  const since = before?.run === run.id && before.epoch !== null ? before.since : now.wall;
  return { kind: run.kind, reason: reasonOf(member.site!, run), since, operator, epoch: pause, run: run.id };
}

/** This host counts itself out. */
export function outside(reason: string, since: number): SiteHold {
  return { kind: 'cluster', reason, since, operator: null, epoch: null, run: null };
}

function reasonOf(site: Site, run: SiteRun): string {
  const { id, owner } = run;
  if (!isStranded(site, run)) return `run ${id} of host ${owner.name}`;
  if (mayStillWork(run))
    return `the command of run ${id} on host ${owner.name}, which is gone, may still be at work: this ends when that host is back, or by \`quiesce maintenance off\``;
  if (isHalfDone(run) && run.shared === true)
    return `run ${id} was being written by host ${owner.name}, which is gone: another host takes it over`;
  if (isHalfDone(run))
    return `run ${id} was being written by host ${owner.name}: start that host again, which finishes it`;
  return `run ${id} of host ${owner.name}, which is gone`;
}
