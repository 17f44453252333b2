/**
 * Keeps one host in the site document: renews its lease, sends the writes that `writesOf` returns, one after another,
 * and reports each new view of the document.
 *
 * out ──join──▶ in ──(evicted, removed, lease over)──▶ out …  ──stop──▶ left
 */
import { setTimeout as delay } from 'node:timers/promises';
import { clock, sleepOffset, sleptSince } from '../monotonic.ts';
import { evictionsBetween, type EvictedHost } from './evictions.ts';
import { isForgetful } from './founding.ts';
import { InUse } from './in-use.ts';
import { evicted, isIn, newMember, renewed, sees, writesOf, type Local, type Member } from './member.ts';
import type { Site, SiteRules } from './document.ts';
import type { Refusal, SiteEvent } from './events.ts';
import type { Answer, SiteStore } from './store.ts';

export interface HostOptions {
  readonly store: SiteStore;
  readonly rules: SiteRules & { readonly renewal: number };
  readonly host: string;
  readonly name: string;
  /** The version of quiesce. */
  readonly version: string;
  /** The prefix of each incarnation of this primary. */
  readonly primary: string;
  /** That prefix of the former primary, if it was seen dead, and all of its workers with it. */
  readonly replaces: string | null;
  readonly local: () => Local;
  /** Called when the view has changed or the lease has ended. */
  readonly onView: () => void;
  readonly onRefused: (event: SiteEvent, refused: Refusal, site: Site) => void;
  readonly onEviction: (host: EvictedHost) => void;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

/** The wait before a failed renewal or write is sent again, ms. */
const again = 500;
/**
 * How often a host checks for overdue hosts, and the wait before it reads the document and opens the change stream
 * again, ms.
 */
const look = 1_000;

export class Host {
  readonly #options: HostOptions;
  #member: Member;
  #incarnations = 0;
  #serverNow = 0;
  #serverNowAt = 0;
  #isBusy = false;
  #isRefounding = false;
  #notBefore = 0;
  #lastError: string | null = null;
  readonly #inUse = new InUse();
  #sleepOffset = sleepOffset();
  #renewing: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #looking: NodeJS.Timeout | undefined;
  #last: Promise<unknown> = Promise.resolve();
  readonly #stopped = new AbortController();

  constructor(options: HostOptions) {
    this.#options = options;
    this.#member = newMember({ host: options.host, incarnation: this.#incarnation() }, options.name);
  }

  #incarnation(): string {
    return `${this.#options.primary}.${++this.#incarnations}`;
  }

  get member(): Member {
    return this.#member;
  }

  /** The result of `sleepOffset()` at the last correction of the deadline. */
  get sleepOffset(): number {
    return this.#sleepOffset;
  }

  /** The error of the last call to MongoDB, or why this host cannot join; null if there is neither. */
  get trouble(): string | null {
    return this.#lastError;
  }

  /** The estimated time of MongoDB's clock, ms. */
  get serverNow(): number {
    return this.#serverNow + clock() - this.#serverNowAt;
  }

  start(): void {
    this.#looking = setInterval(() => this.poke(), look).unref();
    this.#renew();
    void this.#follow();
    this.poke();
  }

  /** Sends the next write, if there is one. Call it when something on this host has changed. */
  poke(): void {
    if (this.#isBusy || this.#isRefounding || this.#stopped.signal.aborted || clock() < this.#notBefore) return;
    const { local, rules } = this.#options;
    // Before the first view the only write is the join, whose answer brings that view.
    const [next] = this.#member.site === null ? [this.#join()] : writesOf(this.#member, local(), this.serverNow, rules);
    if (next !== undefined) void this.#send(next.type === 'join' ? this.#join() : next);
  }

  /** Writes an operator's order. Rejects if MongoDB does not answer. */
  async write(event: SiteEvent): Promise<Answer> {
    const answer = await this.#options.store.apply(event);
    this.#take(answer.site, answer.now);
    return answer;
  }

  /** Takes this host out of the document. Call it after its workers have ended. */
  async leave(): Promise<void> {
    this.#stopped.abort();
    clearInterval(this.#looking);
    clearTimeout(this.#renewing);
    clearTimeout(this.#deadline);
    await this.#last.catch(() => {});
    const { store, log } = this.#options;
    try {
      await store.apply({ type: 'leave', ref: this.#member.ref });
    } catch (error) {
      log.warn(
        { err: error },
        'this host could not take itself out of the cluster; the other hosts evict it when its lease is over',
      );
    }
    await store.close();
  }

  #join(): SiteEvent {
    const { replaces, version } = this.#options;
    const { ref, name } = this.#member;
    return { type: 'join', ref, name, version, ...(replaces === null ? {} : { replaces }) };
  }

  async #send(event: SiteEvent): Promise<void> {
    this.#isBusy = true;
    const sentAt = clock();
    const sent = this.#options.store.apply(event);
    this.#last = sent;
    try {
      this.#answered(event, sentAt, await sent);
    } catch (error) {
      this.#failed(error);
      this.#notBefore = clock() + again;
    }
    this.#isBusy = false;
    if (clock() >= this.#notBefore) this.poke();
  }

  #answered(event: SiteEvent, sentAt: number, { site, refused, now }: Answer): void {
    this.#lastError = null;
    const { rules, log, name, onRefused } = this.#options;
    // Sent again at once, the same write would be refused again.
    if (refused === 'host-in-use' || refused === 'not-yet') this.#notBefore = clock() + again;
    if (refused === 'host-in-use') this.#lastError = this.#inUse.tell(site.hosts[this.#member.ref.host]!, rules, log);
    const isOurs = !('ref' in event) || event.ref.incarnation === this.#member.ref.incarnation;
    if (isOurs && refused === null && (event.type === 'join' || event.type === 'renew')) {
      if (event.type === 'join')
        log.info({ site: site.identity, epoch: site.epoch }, `host ${name} has joined the cluster`);
      return this.#take(site, now, (member) => renewed(member, site, sentAt, rules));
    }
    if (isOurs && refused === 'evicted') return this.#takeEviction(site, now);
    if (event.type === 'evict' && refused === null)
      log.warn({ host: event.host }, `host ${event.host} was evicted from the cluster: it did not renew its lease`);
    this.#take(site, now);
    if (isOurs && refused !== null) onRefused(event, refused, site);
  }

  #takeEviction(site: Site, now: number): void {
    this.#take(site, now, (member) => evicted(member, this.#incarnation()));
  }

  #take(site: Site, now?: number, more: (member: Member) => Member = (member) => member): void {
    if (now !== undefined) this.#notedTime(now);
    const before = this.#member;
    const isOther = before.site !== null && before.site.identity !== site.identity;
    if (isOther && isForgetful(site, before.site, false)) void this.#refound(before.site);
    let next = more(sees(before, site));
    const isOut = isIn(before) && !isIn(next);
    // The change stream or a refused renewal shows this, whichever comes first.
    if (isOut) this.#options.log.warn({}, `host ${this.#options.name} was taken out of the cluster and joins it again`);
    if (isOut && next.ref.incarnation === before.ref.incarnation) next = evicted(next, this.#incarnation());
    this.#member = next;
    this.#armDeadline();
    evictionsBetween(before, next, this.serverNow, this.#options.rules).forEach(this.#options.onEviction);
    this.#options.onView();
    this.poke();
  }

  /**
   * The document was dropped or restored: this host's lease ends now, and requests in flight get the eviction grace.
   */
  async #refound(seen: Site): Promise<void> {
    if (this.#isRefounding) return;
    this.#isRefounding = true;
    this.#options.log.warn(
      { epoch: seen.epoch },
      'the cluster document was removed, or restored from a backup: it is older than the one this host has seen. All hosts join again',
    );
    this.#member = { ...this.#member, deadline: Math.min(this.#member.deadline, clock() - 1) };
    this.#options.onView();
    // Do not join before the document is replaced: without its hold or run, it would open this host's gates.
    for (let isDone = false; !isDone && !this.#stopped.signal.aborted;) {
      try {
        const answer = await this.#options.store.refound(seen);
        isDone = true;
        if (answer !== null) this.#take(answer.site, answer.now);
      } catch (error) {
        this.#failed(error);
        await delay(again);
      }
    }
    this.#isRefounding = false;
    this.poke();
  }

  #notedTime(now: number): void {
    this.#serverNow = now;
    this.#serverNowAt = clock();
  }

  #armDeadline(): void {
    clearTimeout(this.#deadline);
    const left = this.#member.deadline - clock();
    if (!Number.isFinite(left) || left < 0) return;
    this.#deadline = setTimeout(() => this.#options.onView(), left + 1).unref();
  }

  /** Sends renewals outside the queue of writes, so that no other write delays them. */
  #renew(): void {
    const { store, rules } = this.#options;
    this.#noticeSleep();
    if (!isIn(this.#member)) return this.#renewIn(again);
    const sentAt = clock();
    const { ref, site: seen } = this.#member;
    const sent = store.renew(ref);
    sent.then(
      (answer) => {
        // The renewal was sent after `seen` was read. If its answer is older, someone has restored an older document.
        if (isForgetful(answer.site, seen!, answer.refused === null)) void this.#refound(seen!);
        else this.#answered({ type: 'renew', ref }, sentAt, answer);
        this.#renewIn(rules.renewal);
      },
      (error: unknown) => {
        this.#failed(error);
        this.#renewIn(again);
      },
    );
  }

  #renewIn(wait: number): void {
    if (this.#stopped.signal.aborted) return;
    this.#renewing = setTimeout(() => this.#renew(), wait).unref();
  }

  /**
   * Shortens the deadline by the time that the machine slept: the monotonic clock stood still, the database's did not.
   */
  #noticeSleep(): void {
    const asleep = sleptSince(this.#sleepOffset);
    this.#sleepOffset = sleepOffset();
    if (asleep === 0) return;
    this.#options.log.warn(
      { ms: Math.round(asleep) },
      'this machine was suspended: the lease of this host ends earlier by that time',
    );
    this.#member = { ...this.#member, deadline: this.#member.deadline - asleep };
    this.#armDeadline();
    this.#options.onView();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      // The stream shows later changes only, so the current document is read as well.
      const current = this.#options.store.read().then(({ site, now }) => this.#take(site, now));
      current.catch(() => {}); // a failing renewal logs the same trouble
      await this.#options.store.watch((site) => this.#take(site), signal).catch(() => {});
      await current.catch(() => {});
      if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, look).unref());
    }
  }

  #failed(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (this.#lastError === null && !this.#stopped.signal.aborted)
      this.#options.log.warn(
        { err: error },
        `a write to the cluster document in MongoDB failed and is sent again: ${message}`,
      );
    this.#lastError = message;
  }
}
