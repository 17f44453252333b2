/**
 * The agreement of several hosts: turns the view that this host has of the site document into events of its maintenance
 * state, and that state into what the host has to write. Each view is taken as a whole: a lost answer costs time only.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Host } from '../../cluster/host.ts';
import type { HostOptions } from '../../cluster/host-options.ts';
import { isIn, onWon, type Local } from '../../cluster/member.ts';
import { hostsNotAtRest, isSameRef, isStranded } from '../../cluster/document.ts';
import type { Site, SiteMirrored, SiteRun } from '../../cluster/document.ts';
import type { Refusal, SiteEvent } from '../../cluster/events.ts';
import { isHalfDone } from '../../cluster/founding.ts';
import { clock } from '../../monotonic.ts';
import type { Agreement, AgreementEvent, Lease } from '../maintenance/agreement.ts';
import { Changes } from '../maintenance/changes.ts';
import type { Run, SiteHold, State } from '../maintenance/machine/state.ts';
import type { HandedMembership } from './identity.ts';
import { order } from './unreachable.ts';
import { ownRunOf, type OfRuns } from './own-run.ts';
import { holdFrom, outside } from './view.ts';

type OfHost = 'store' | 'rules' | 'host' | 'name' | 'version' | 'primary' | 'replaces' | 'onEviction';

export interface SiteAgreementOptions extends Pick<HostOptions, OfHost>, OfRuns {
  readonly membership: HandedMembership | null;
  readonly log: Logger;
  /** Of a run whose owner is gone: what this host has of it. */
  readonly past: (run: string) => 'left' | 'ended' | null;
  /** A feed of another host has ended, and may have changed documents. */
  readonly mirrored: (feed: SiteMirrored) => void;
  /** Fetches what another host has left of its run, so that `past` knows it. */
  readonly fetch: (run: string) => Promise<void>;
  /** A run that an earlier primary of this host left, and that the site does not know any more. */
  readonly forget: (run: string) => void;
}

/** How long the end of a run is waited for to be known by the others before its caller is answered, ms. */
const endPatience = 5_000;
/** How soon a feed that could not be fetched is tried again, ms. */
const fetchAgain = 2_000;

export class SiteAgreement implements Agreement {
  readonly asksOthers = true;
  readonly host: Host;
  /** Those who wait here for a hold of all hosts. */
  readonly waiters: Set<string> = new Set();
  /** What became of the last reload of all hosts here. */
  reloaded: Local['reloaded'] = null;
  /** Of the view that this host has of the others. */
  readonly changes: Changes = new Changes();
  readonly firstHold: SiteHold = outside('this host has not joined the cluster yet', Date.now());
  readonly #options: SiteAgreementOptions;
  /** Runs that an earlier primary of this host, or this one before it was counted out, has left unfinished. */
  readonly #left = new Set<string>();
  #state: State | null = null;
  #dispatch: (event: AgreementEvent) => void = () => {};
  #onLease: () => void = () => {};
  #deadline = -Infinity;
  #lost: string | null = null;
  #recovered: string | null = null;
  #fetching: string | null = null;
  /** The ended feeds of all hosts that this one has heard of; null before its first view. */
  #heard: ReadonlySet<string> | null;
  /** As it was when a handover began; null where none goes on. */
  #heardBefore: ReadonlySet<string> | null = null;
  #ending: { readonly run: string; readonly since: number; readonly late: readonly string[] } | null = null;
  #isLooking = false;

  constructor(options: SiteAgreementOptions) {
    this.#options = options;
    this.#heard = options.membership === null ? null : new Set(options.membership.heard);
    this.host = new Host({
      ...options,
      local: () => this.#local(),
      onView: () => {
        this.#view();
        this.changes.tell();
      },
      onRefused: (event, refused, site) => this.#refused(event, refused, site),
    });
  }

  /** @param left runs that an earlier primary of this host left unfinished */
  start(left: readonly string[]): void {
    for (const run of left) this.#left.add(run);
    this.host.start();
    this.#dispatch({ type: 'site', hold: this.#holdNow(), mirrored: this.#unheard() });
  }

  /**
   * This primary writes nothing more for the cluster; its gates follow what its successor does.
   * @throws QuiesceError `database-unavailable`; then everything is as before
   */
  async retire(): Promise<HandedMembership> {
    const membership = await this.host.retire();
    return { ...membership, sleepOffset: this.host.sleepOffset, heard: [...(this.#heardBefore ?? this.#heard ?? [])] };
  }

  get epoch(): number | null {
    return this.host.member.site?.epoch ?? 0;
  }

  get lease(): Lease | null {
    const { rules } = this.#options;
    if (rules.onPartition === 'serve') return null;
    const { sleepOffset } = this.host;
    return { deadline: Math.max(0, this.#deadline), sleepOffset, grace: rules.evictionGrace };
  }

  connect(dispatch: (event: AgreementEvent) => void, onLease: () => void): void {
    this.#dispatch = dispatch;
    this.#onLease = onLease;
  }

  look(state: State): void {
    this.#state = state;
    this.#heardBefore = state.handingOver ? (this.#heardBefore ?? this.#heard) : null;
    this.#view();
    this.host.poke();
  }

  late(run: string): readonly string[] {
    return this.#ending?.run === run ? this.#ending.late : [];
  }

  /**
   * Gives up a run whose host is gone, or whose feed this host cannot fetch. The collection stays as it is. Resolves with
   * false if this run is neither.
   */
  async abandon(run: string): Promise<boolean> {
    const { site, ref } = this.host.member;
    const own = site?.run ?? null;
    if (site === null || own?.id !== run) return false;
    const isOurs = isSameRef(own.owner, ref) && isHalfDone(own) && this.#options.past(run) === null;
    if (!isOurs && !isStranded(site, own)) return false;
    return (await order(this.host, { type: isOurs ? 'end' : 'abandon', ref, run })).refused === null;
  }

  #local(): Local {
    const state = this.#state;
    const past = this.#options.past;
    const told = { past, waiters: this.waiters, reloaded: this.reloaded };
    if (state === null) return { rest: null, isIdle: false, run: null, ...told };
    const { phase, site, run } = state;
    return {
      rest: phase === 'quiesced' ? (site?.epoch ?? null) : null,
      isIdle: phase === 'quiesced' && run === null,
      run: run === null ? null : ownRunOf(run, this.#options),
      ...told,
    };
  }

  /** A dispatch comes back here by way of `look`: what it changes is seen once it has been taken. */
  #view(): void {
    if (this.#isLooking || this.#state === null) return;
    this.#isLooking = true;
    try {
      this.#tellLease();
      this.#tellHold();
      if (!this.host.isFormer) this.#tellRun();
    } finally {
      this.#isLooking = false;
    }
  }

  #tellLease(): void {
    const { deadline } = this.host.member;
    if (deadline === this.#deadline || !isIn(this.host.member)) return;
    this.#deadline = deadline;
    this.#onLease();
  }

  #tellHold(): void {
    const hold = this.#holdNow();
    const mirrored = this.#unheard();
    if (mirrored.length === 0 && isSame(hold, this.#state!.site)) return;
    this.#dispatch({ type: 'site', hold, mirrored });
  }

  /** Runs that ended before this host first read the site document do not count: its workers have no older documents. */
  #unheard(): string[] {
    const { site, ref } = this.host.member;
    if (site === null) return [];
    const all = site.mirrored ?? [];
    const fresh =
      this.#heard === null ? [] : all.filter(({ run, host }) => !this.#heard!.has(run) && host !== ref.host);
    this.#heard = new Set(all.map(({ run }) => run));
    for (const feed of fresh) this.#options.mirrored(feed);
    return fresh.map(({ run }) => run);
  }

  #holdNow(): SiteHold | null {
    const { member, trouble } = this.host;
    return holdFrom(member, trouble, this.#state?.site ?? null, { monotonic: clock(), wall: Date.now() });
  }

  /** What the site says of the run of this host, and of those that it has left. */
  #tellRun(): void {
    const { member } = this.host;
    const { run, unfinished } = this.#state!;
    const own = member.site?.run ?? null;
    const isOurs = own !== null && isSameRef(own.owner, member.ref);
    if (run === null) return this.#adopt(isOurs && isIn(member) ? own : null, unfinished);
    const isKnown = isOurs && own.id === run.id && isIn(member);
    switch (run.asks) {
      case 'claim':
        if (isKnown) return this.#agree(run, own);
        if (!isIn(member) || clock() > member.deadline)
          this.#dispatch({ type: 'refused', run: run.id, code: 'database-unavailable', holder: null });
        return;
      case 'end':
        return this.#end(run, isKnown);
      case 'drain':
        if (!isKnown) return this.#lose(run.id);
        return own.epoch === null ? undefined : this.#agree(run, own);
      case 'begin': {
        if (!isKnown) return this.#lose(run.id);
        if (own.stage !== 'running') return;
        const next = onWon(member, ownRunOf(run, this.#options), clock());
        if (next === 'begin') return this.#agree(run, own);
        return next === 'end' ? this.#lose(run.id) : undefined;
      }
      case null:
        return isKnown ? undefined : this.#lose(run.id);
      default:
        return run.asks satisfies never;
    }
  }

  #agree(run: Run, { epoch }: SiteRun): void {
    this.#dispatch({ type: 'agreed', run: run.id, to: run.asks!, hold: this.#holdNow(), fence: epoch });
  }

  #end(run: Run, isKnown: boolean): void {
    if (this.#ending?.run !== run.id) {
      const { site } = this.host.member;
      const late = isKnown ? hostsNotAtRest(site!, site!.run!.epoch) : [];
      this.#ending = { run: run.id, since: clock(), late };
      setTimeout(() => this.#view(), endPatience + 1).unref();
    }
    // The gates open by the document alone; only the caller is not kept waiting.
    if (isKnown && clock() - this.#ending.since < endPatience) return;
    this.#dispatch({ type: 'agreed', run: run.id, to: 'end', hold: this.#holdNow(), fence: null });
  }

  /** Dispatches once for each run: its work does not stop at once. */
  #lose(run: string): void {
    if (this.#lost === run) return;
    this.#lost = run;
    if (this.#options.past(run) === 'left') this.#left.add(run);
    this.#dispatch({ type: 'lost', run });
  }

  /** Continues a run that this host has taken over. Drops the runs that the site document no longer names. */
  #adopt(own: SiteRun | null, unfinished: readonly string[]): void {
    const { member } = this.host;
    if (!isIn(member)) return;
    for (const run of this.#left) {
      if (member.site!.run?.id === run) continue;
      this.#left.delete(run);
      this.#options.forget(run);
    }
    if (own === null || !isHalfDone(own)) return;
    const key = `${own.id} ${own.epoch}`;
    if (own.shared === true && this.#options.past(own.id) === null) return void this.#fetch(own.id, key);
    if (this.#recovered === key || unfinished.includes(own.id) || this.#options.past(own.id) !== 'left') return;
    this.#recovered = key;
    this.#left.delete(own.id);
    this.#lost = null;
    this.#dispatch({ type: 'recover', runs: [own.id] });
  }

  /** The gates stay shut until it is there, however long that takes. */
  async #fetch(run: string, key: string): Promise<void> {
    if (this.#fetching === key) return;
    this.#fetching = key;
    try {
      await this.#options.fetch(run);
    } catch (error) {
      this.#options.log.error({ err: error, run }, `run ${run} was taken over, and its feed cannot be fetched yet`);
      await delay(fetchAgain, undefined, { ref: false });
    }
    this.#fetching = null;
    // The site may have given the run to another host meanwhile.
    if (this.#options.past(run) === 'left') this.#left.add(run);
    this.#view();
    this.host.poke();
  }

  #refused(event: SiteEvent, refused: Refusal, site: Site): void {
    if (event.type !== 'claim' || refused !== 'run-in-progress') return;
    this.#dispatch({ type: 'refused', run: event.run, code: 'run-in-progress', holder: site.run?.id ?? null });
  }
}

function isSame(a: SiteHold | null, b: SiteHold | null): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
