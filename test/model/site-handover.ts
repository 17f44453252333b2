/**
 * A primary of the model that is replaced while its host serves. Its successor is the same member; the former primary and its
 * workers finish what is in flight. Either may be killed, and requests of the former one may still be applied.
 */
import { isIn, mayOpen, newMember, pauseFor, sees, type Member } from '#quiesce/cluster/member.js';
import { inherited, observed } from '#quiesce/cluster/membership.js';
import type { SiteRules } from '#quiesce/cluster/document.js';
import type { SiteEvent } from '#quiesce/cluster/events.js';
import type { SiteStep } from '#quiesce/cluster/site.js';
import type { Move } from './explore.ts';
import { change, spend } from './site-operators.ts';
import type { Call, Faults, Former, Host, State } from './site-parts.ts';

interface Rest {
  readonly apply: (state: State, event: SiteEvent) => SiteStep;
  /** What the primary does at once when something has changed. */
  readonly settle: (state: State, host: string) => State;
}

/** `<primary>.<count>` */
export function nextIncarnation(incarnation: string): string {
  const [primary, count] = incarnation.split('.');
  return `${primary}.${Number(count) + 1}`;
}

/** Its requests that may still be applied. */
function unanswered({ calls }: Host): Call[] {
  return Object.values(calls).filter((call): call is Call => call !== null && call.answer === null);
}

export class Handover {
  readonly #rules: SiteRules;
  readonly #faults: Faults;
  readonly #rest: Rest;

  constructor(rules: SiteRules, faults: Faults, rest: Rest) {
    this.#rules = rules;
    this.#faults = faults;
    this.#rest = rest;
  }

  *moves(state: State, host: string): Iterable<Move<State>> {
    const own = state.hosts[host]!;
    yield* this.#handsOver(state, host, own);
    if (state.left.deaths > 0 && own.run?.kind !== 'exec')
      yield { name: `${host}: its primary is killed`, to: spend(this.#killed(state, host, own), 'deaths') };
    for (const [index, stray] of state.isAway ? [] : own.strays.entries()) {
      const { site, refused } = this.#rest.apply(state, stray.event);
      const strays = own.strays.toSpliced(index, 1);
      const how = refused === null ? '' : ` (${refused})`;
      const name = `${host}: ${stray.event.type} of its former primary is applied late${how}`;
      yield { name, to: change({ ...state, site }, host, { strays }) };
    }
    if (own.former !== null) yield* this.#former(state, host, own, own.former);
  }

  /** Nothing of the host is at work but requests, and what it has been answered is known. */
  *#handsOver(state: State, host: string, own: Host): Iterable<Move<State>> {
    const { member, run, handler, writes, waits, calls, former, clock, gate, busy, workersDeadline } = own;
    const isFree = run === null && !handler && writes === null && !waits && former === null && own.isRunning;
    const isAnswered = Object.values(calls).every((call) => call === null || call.answer === null);
    if (state.left.handovers === 0 || !isFree || !isAnswered || !isIn(member) || clock > member.deadline) return;
    if (this.#faults.handsOverOld && own.noted === null) {
      yield { name: `${host}: notes what it hands over`, to: change(state, host, { noted: member }) };
      return;
    }
    const strays = [...own.strays, ...unanswered(own)];
    const from = own.noted ?? member;
    const { site, deadline } = from;
    const until = this.#faults.countsFromHandover ? clock + this.#rules.lease : deadline;
    const { incarnation } = from.ref;
    const heir = inherited(newMember(from.ref, host), { incarnation, deadline: until, site: site! }, this.#rules);
    const to = change(state, host, {
      member: heir,
      former: { member, gate, busy, workersDeadline, reads: null },
      hasReplaced: true,
      busy: false,
      workersDeadline: Math.floor(heir.deadline),
      calls: { renewal: null, other: null },
      strays,
      noted: null,
    });
    yield { name: `${host}: hands over to a new primary`, to: spend(this.#rest.settle(to, host), 'handovers') };
  }

  /** Its workers end with it. The next primary waits for the former one, and joins under an incarnation of its own. */
  #killed(state: State, host: string, own: Host): State {
    const { member, strays } = own;
    const [primary] = member.ref.incarnation.split('.');
    const ref = { host, incarnation: `${Number(primary) + 1}.1` };
    const next: Member = { ...newMember(ref, host), site: state.isAway ? member.site : state.site };
    return change(state, host, {
      member: next,
      replaces: primary!,
      isRunning: true,
      gate: false,
      busy: false,
      handler: false,
      run: null,
      writes: null,
      waits: false,
      workersDeadline: -Infinity,
      calls: { renewal: null, other: null },
      strays: [...strays, ...unanswered(own)],
    });
  }

  *#former(state: State, host: string, own: Host, former: Former): Iterable<Move<State>> {
    const { member, gate, busy, workersDeadline, reads } = former;
    const { clock } = own;
    const by = (more: Partial<Former>): State =>
      change(state, host, { former: this.#settled({ ...former, ...more }, clock) });
    if (gate && !busy && clock <= workersDeadline)
      yield { name: `${host}: a request starts in a former worker`, to: by({ busy: true }) };
    if (busy) yield { name: `${host}: a former worker ends its request`, to: by({ busy: false }) };
    else yield { name: `${host}: the former primary has gone`, to: change(state, host, { former: null }) };
    if (reads !== null) {
      const since = this.#faults.countsFromReading ? clock : reads.sentAt;
      const seen = observed(sees(member, reads.site), since, reads.now, this.#rules);
      yield { name: `${host}: the former primary has read the document`, to: by({ member: seen, reads: null }) };
    }
    if (state.isAway) return;
    if (member.site!.version < state.site.version)
      yield { name: `${host}: the former primary sees the document`, to: by({ member: sees(member, state.site) }) };
    if (reads === null && isIn(member))
      yield {
        name: `${host}: the former primary asks for the document`,
        to: by({ reads: { site: state.site, sentAt: clock, now: state.now } }),
      };
    const pause = pauseFor(member);
    if (this.#faults.bothAreMember && pause !== null && !gate && !busy) {
      const { site } = this.#rest.apply(state, { type: 'rest', ref: member.ref, epoch: pause });
      yield { name: `${host}: the former primary reports rest`, to: { ...state, site } };
    }
  }

  /** The clock of the host has gone on. */
  tick(state: State, host: string): State {
    const { former, clock } = state.hosts[host]!;
    if (former === null) return state;
    const isOver = clock > former.workersDeadline + this.#rules.evictionGrace;
    return change(state, host, { former: this.#settled({ ...former, busy: former.busy && !isOver }, clock) });
  }

  #settled(former: Former, clock: number): Former {
    const { member, workersDeadline: before } = former;
    const workersDeadline = isIn(member) ? Math.max(before, Math.floor(member.deadline)) : before;
    return { ...former, workersDeadline, gate: mayOpen(member, clock) && clock <= workersDeadline };
  }
}
