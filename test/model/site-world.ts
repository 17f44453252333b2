/**
 * Hosts around one site document: the real `siteStep` and the real decisions of a member, with primaries that stop and go
 * on, requests and answers that are lost or late, clocks that go at different rates, evictions, take-overs, and a database that is
 * away. The machine of one host is taken as what its own model proves: its gate is shut and nothing is in flight before it rests.
 */
import {
  evicted,
  isIn,
  mayOpen,
  newMember,
  onWon,
  renewed,
  sees,
  writesOf,
  type Member,
  type OwnRun,
} from '#quiesce/cluster/member.js';
import type { SiteRules } from '#quiesce/cluster/document.js';
import type { SiteEvent } from '#quiesce/cluster/events.js';
import { newSite } from '#quiesce/cluster/founding.js';
import { siteStep, type SiteStep } from '#quiesce/cluster/site.js';
import type { Move } from './explore.ts';
import { Handover, nextIncarnation } from './site-handover.ts';
import { localOf, replacing } from './site-local.ts';
import { change, operatorsAt, spend } from './site-operators.ts';
import { batchesOf } from './site-writes.ts';
import { ways, type Call, type Faults, type Host, type Settings, type State, type Way } from './site-parts.ts';

/** In ticks. A deadline is counted one tick short, for a clock that may miss one in a lease. */
const rulesFor = (onPartition: SiteRules['onPartition']): SiteRules => ({
  lease: 3,
  evictionGrace: 1,
  margin: 0,
  onPartition,
});

export class World {
  readonly #names: readonly string[];
  readonly #settings: Settings;
  readonly #faults: Faults;
  readonly #rules: SiteRules;
  readonly #handover: Handover;

  constructor(names: readonly string[], settings: Settings, faults: Faults) {
    this.#names = names;
    this.#settings = settings;
    this.#faults = faults;
    this.#rules = rulesFor(settings.onPartition ?? 'shut');
    this.#handover = new Handover(this.#rules, faults, {
      apply: (state, event) => this.#stepped(state, event),
      settle: (state, host) => this.#settle(state, host),
    });
  }

  initial(): State {
    let site = newSite('one', 0, null);
    const refs = this.#names.map((host) => ({ host, incarnation: '1.1' }));
    for (const ref of refs) site = siteStep(site, { type: 'join', ref, name: ref.host }, 0, this.#rules).site;
    const hosts = refs.map((ref): [string, Host] => {
      const member = renewed(newMember(ref, ref.host), site, 0, this.#rules);
      const workersDeadline = Math.floor(member.deadline);
      const calls = { renewal: null, other: null };
      const idle = { busy: false, run: null, handler: false, writes: null, waits: false };
      const alone = { former: null, hasReplaced: false, strays: [], replaces: null, noted: null };
      return [ref.host, { member, isRunning: true, clock: 0, calls, gate: true, workersDeadline, ...idle, ...alone }];
    });
    const fence = { epoch: 0, owner: '' };
    return {
      now: 0,
      site,
      isAway: false,
      fence,
      isPart: false,
      isFinishedByOther: false,
      hosts: Object.fromEntries(hosts),
      left: this.#settings.left,
      broken: null,
    };
  }

  *moves(state: State): Iterable<Move<State>> {
    if (state.broken !== null) return;
    const { left, isAway } = state;
    if (left.ticks > 0) {
      yield { name: 'a tick', to: this.#tick(state, null), fair: 'tick' };
      for (const host of left.slow > 0 ? this.#names : [])
        yield { name: `a tick, which the clock of ${host} misses`, to: spend(this.#tick(state, host), 'slow') };
    }
    if (left.outages > 0 && !isAway)
      yield { name: 'MongoDB goes away', to: spend({ ...state, isAway: true }, 'outages') };
    if (isAway) yield { name: 'MongoDB is back', to: { ...state, isAway: false }, fair: 'back' };
    for (const host of this.#names) {
      yield* this.#workers(state, host);
      for (const way of ways) yield* this.#network(state, host, way);
      yield* this.#primary(state, host);
      yield* this.#handover.moves(state, host);
    }
  }

  /** What happens in the workers, whether or not their primary runs. */
  *#workers(state: State, host: string): Iterable<Move<State>> {
    const { clock, gate, busy, handler, run, workersDeadline } = state.hosts[host]!;
    if (gate && !busy && (clock <= workersDeadline || this.#faults.knowsNoDeadline))
      yield { name: `${host}: a request starts`, to: change(state, host, { busy: true }) };
    if (busy)
      yield { name: `${host}: the request ends`, to: change(state, host, { busy: false }), fair: `${host} request` };
    if (handler) {
      const to = change(state, host, { handler: false, run: { ...run!, wants: 'end' } });
      yield {
        name: `${host}: the ${run!.kind === 'exec' ? 'command' : 'exclusive handler'} ends`,
        to: this.#settle(to, host),
        fair: `${host} handler`,
      };
    }
  }

  /** What happens to a request or an answer that is on its way. */
  *#network(state: State, host: string, way: Way): Iterable<Move<State>> {
    const own = state.hosts[host]!;
    const call = own.calls[way];
    if (call === null) return;
    const { type } = call.event;
    const isAnswered = call.answer !== null;
    const gone = change(state, host, { calls: { ...own.calls, [way]: null } });
    if (state.left.losses > 0) {
      const what = isAnswered ? 'answer' : 'request';
      yield { name: `${host}: the ${what} of ${type} is lost`, to: spend(gone, 'losses') };
    }
    if (!isAnswered && !state.isAway) yield this.#apply(state, host, way, call);
    if (isAnswered && own.isRunning) {
      const to = this.#onAnswer(gone, host, call);
      yield { name: `${host}: ${type} is answered`, to, fair: `${host} ${way}` };
    }
  }

  *#primary(state: State, host: string): Iterable<Move<State>> {
    const { member, isRunning, clock, run, writes } = state.hosts[host]!;
    const { site, left, isAway } = state;
    if (!isRunning) {
      if (this.#settings.dies) return;
      yield { name: `${host}: its primary goes on`, to: change(state, host, { isRunning: true }), fair: `${host} on` };
      return;
    }
    if (left.stops > 0)
      yield { name: `${host}: its primary is stopped`, to: spend(change(state, host, { isRunning: false }), 'stops') };
    if (member.site!.version < site.version && !isAway) {
      const to = this.#view(state, host, sees(member, site));
      yield { name: `${host}: sees the document`, to, fair: `${host} sees` };
    }
    if (left.claims > 0 && run === null && isIn(member) && clock <= member.deadline) {
      for (const kind of this.#settings.kinds) {
        const to = change(state, host, {
          run: { id: `${host}${left.claims}`, kind, wants: 'claim', isTakenOver: false, shared: kind === 'sync' },
        });
        yield { name: `${host}: wants a run (${kind})`, to: spend(to, 'claims') };
      }
    }
    if (run?.wants === 'begin' && !run.isTakenOver) {
      const to = change(state, host, { run: { ...run, wants: 'end' } });
      yield { name: `${host}: the drain of its run times out`, to, fair: `${host} timeout` };
    }
    if (state.hosts[host]!.waits)
      yield { name: `${host}: nobody waits for the hold any more`, to: change(state, host, { waits: false }) };
    if (writes !== null && !isAway) {
      const settle = (next: State): State => this.#settle(next, host);
      yield* batchesOf(state, host, writes, { faults: this.#faults, settle });
    }
    yield* this.#sends(state, host);
  }

  /** A write is sent, applied and answered at once, or something of that is late. */
  *#sends(state: State, host: string): Iterable<Move<State>> {
    const own = state.hosts[host]!;
    const { member, clock } = own;
    const { ref } = member;
    const events: { event: SiteEvent; way: Way; from: State }[] = writesOf(
      member,
      localOf(own, this.#faults),
      state.now,
      this.#rules,
    ).map((event) => ({ event: replacing(event, own), way: 'other', from: state }));
    if (this.#faults.takesOverTwice && own.run?.isTakenOver)
      events.push({ event: { type: 'take-over', ref, run: own.run.id }, way: 'other', from: state });
    if (this.#faults.asksUnready && own.run?.wants === 'begin')
      events.push({ event: { type: 'begin', ref, run: own.run.id }, way: 'other', from: state });
    // A renewal right after one changes nothing.
    if (isIn(member) && member.deadline < clock + 2)
      events.push({ event: { type: 'renew', ref }, way: 'renewal', from: state });
    for (const [event, from] of operatorsAt(state, host)) events.push({ event, way: 'other', from });
    for (const { event, way, from } of events) {
      if (own.calls[way] !== null) continue;
      const fair = event.type === 'hold' ? {} : { fair: `${host} ${way}` };
      const call: Call = { event, sentAt: clock, answer: null };
      const sent = change(from, host, { calls: { ...own.calls, [way]: call } });
      if (state.isAway) {
        yield { name: `${host}: sends ${event.type}`, to: sent, ...fair };
        continue;
      }
      const { name, to } = this.#apply(from, host, way, call);
      const answered = change(to, host, { calls: { ...own.calls, [way]: null } });
      yield { name, to: this.#onAnswer(answered, host, to.hosts[host]!.calls[way]!), ...fair };
      if (state.left.late === 0) continue;
      yield { name: `${host}: sends ${event.type}, which is late`, to: spend(sent, 'late') };
      yield { name: `${name}; the answer is late`, to: spend(to, 'late') };
    }
  }

  #apply(state: State, host: string, way: Way, call: Call): Move<State> {
    const { event } = call;
    const { site, refused } = this.#stepped(state, event);
    const { calls } = state.hosts[host]!;
    const to = change({ ...state, site }, host, { calls: { ...calls, [way]: { ...call, answer: { site, refused } } } });
    const how = refused === null ? '' : ` (${refused})`;
    return { name: `${host}: ${event.type} is applied${how}`, to, fair: `${host} ${way}` };
  }

  #stepped({ site, now }: State, event: SiteEvent): SiteStep {
    const { step } = this.#faults;
    return step === undefined ? siteStep(site, event, now, this.#rules) : step(siteStep, site, event, now, this.#rules);
  }

  #onAnswer(state: State, host: string, { event, sentAt, answer }: Call): State {
    const { member: before, clock, run } = state.hosts[host]!;
    const { site, refused } = answer!;
    const believed = this.#faults.believesOld ? { ...before, site } : sees(before, site);
    // An answer to a former incarnation says nothing of this one.
    if ('ref' in event && event.ref.incarnation !== before.ref.incarnation) return this.#view(state, host, believed);
    if (refused === 'evicted') {
      const fresh = nextIncarnation(before.ref.incarnation);
      return this.#view(state, host, { ...evicted(before, fresh), site: believed.site });
    }
    if (event.type === 'join' || event.type === 'renew') {
      const since = this.#faults.countsFromAnswer ? clock : sentAt;
      const member = refused === null ? renewed(believed, site, since, this.#rules) : believed;
      const next = this.#view(state, host, member);
      return this.#faults.opensEarly && event.type === 'join' ? change(next, host, { gate: true }) : next;
    }
    const next = this.#view(state, host, believed);
    if (event.type === 'take-over' && refused === null && run === null)
      return this.#won(next, host, {
        id: event.run,
        kind: 'sync',
        wants: 'begin',
        isTakenOver: !this.#faults.endsUnfenced,
      });
    if (run === null || !('run' in event) || event.run !== run.id) return next;
    if (refused !== null) return event.type === 'claim' ? change(next, host, { run: null }) : next;
    if (event.type === 'claim') return change(next, host, { run: { ...run, wants: 'drain' } });
    if (event.type === 'drain') return this.#settle(change(next, host, { run: { ...run, wants: 'begin' } }), host);
    if (event.type === 'begin') return this.#won(next, host, run);
    return event.type === 'end' ? this.#settle(change(next, host, { run: null }), host) : next;
  }

  /** The answer that lets a run begin has come. */
  #won(state: State, host: string, run: OwnRun): State {
    const { clock, member } = state.hosts[host]!;
    const next = this.#faults.beginsLate ? 'begin' : onWon(member, run, clock);
    if (next !== 'begin') return change(state, host, { run: { ...run, wants: next === 'end' ? 'end' : 'begin' } });
    const begun = { ...run, wants: null };
    if (run.kind !== 'sync') return change(state, host, { run: begun, handler: true });
    return change(state, host, { run: begun, writes: member.site!.run?.epoch ?? 0 });
  }

  #tick(state: State, misses: string | null): State {
    let next: State = spend({ ...state, now: state.now + 1 }, 'ticks');
    for (const host of this.#names) {
      const own = next.hosts[host]!;
      const clock = own.clock + (host === misses ? 0 : 1);
      const isPast = clock > own.workersDeadline && !this.#faults.knowsNoDeadline;
      const isOver = clock > own.workersDeadline + this.#rules.evictionGrace && !this.#faults.outlives;
      // A command is nobody's to end.
      const endsWork = isOver && own.handler && own.run!.kind !== 'exec';
      const run = endsWork ? { ...own.run!, wants: 'end' as const } : own.run;
      const ended = isOver ? { busy: false, ...(endsWork ? { handler: false } : {}) } : {};
      next = change(next, host, { clock, gate: own.gate && !isPast, run, ...ended });
      next = this.#handover.tick(next, host);
    }
    return next;
  }

  #view(state: State, host: string, member: Member): State {
    const { workersDeadline: before } = state.hosts[host]!;
    const workersDeadline = isIn(member) ? Math.max(before, Math.floor(member.deadline)) : before;
    return this.#settle(change(state, host, { member, workersDeadline }), host);
  }

  /** What the primary does at once when its view has changed. */
  #settle(state: State, host: string): State {
    const { member, clock, run, handler, writes } = state.hosts[host]!;
    const isOver = run !== null && run.wants !== 'claim' && (member.site?.run?.id !== run.id || !isIn(member));
    const idle = isOver && !handler && writes === null ? { run: null } : {};
    return change(state, host, { gate: mayOpen(member, clock), ...idle });
  }
}
