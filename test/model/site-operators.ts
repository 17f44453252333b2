/** What operators want of the hosts, and how a state of the model is changed. */
import { isStranded, mayStillWork } from '#quiesce/cluster/document.js';
import type { SiteEvent } from '#quiesce/cluster/events.js';
import { isIn } from '#quiesce/cluster/member.js';
import type { Host, State } from './site-parts.ts';

/** One who releases a command knows that it has ended. */
export function* operatorsAt(state: State, host: string): Iterable<[event: SiteEvent, from: State]> {
  const { member } = state.hosts[host]!;
  const { ref, site } = member;
  if (!isIn(member)) return;
  if (state.left.holds > 0) {
    const spent = spend(state, 'holds');
    const shape = { reason: '', lasts: null, by: null };
    yield [{ type: 'hold', ref, change: shape, waiter: null }, spent];
    yield [{ type: 'hold', ref, change: { ...shape, lasts: 2 }, waiter: null }, spent];
    yield [{ type: 'hold', ref, change: shape, waiter: host }, change(spent, host, { waits: true })];
    yield [{ type: 'schedule', ref, hold: { ...shape, at: state.now + 2 } }, spent];
  }
  const { run } = site!;
  const isAtWork = Object.values(state.hosts).some(({ handler }) => handler);
  const isLeft = run !== null && isStranded(site!, run) && mayStillWork(run) && !isAtWork;
  if (site!.operator !== null || site!.scheduled !== null || isLeft)
    yield [{ type: 'unhold', ref, ...(isLeft ? { releases: run.id } : {}) }, state];
}

export function change(state: State, host: string, by: Partial<Host>): State {
  return { ...state, hosts: { ...state.hosts, [host]: { ...state.hosts[host]!, ...by } } };
}

export function spend(state: State, what: keyof State['left']): State {
  return { ...state, left: { ...state.left, [what]: state.left[what] - 1 } };
}
