/**
 * Keeps one host in the site document: renews its lease, sends the writes that `writesOf` returns, one after another,
 * and reports each new view of the document.
 *
 * out ──join──▶ in ──(evicted, removed, lease over)──▶ out …  ──stop──▶ left
 * in ──retire──▶ former (reads only: another primary of this host is the member now) ──stop──▶ left
 */
import { QuiesceError } from '../errors.ts';
import { clock, sleepOffset, sleptSince } from '../monotonic.ts';
import { Calls } from './calls.ts';
import { evictionsBetween } from './evictions.ts';
import { isForgetful } from './founding.ts';
import { documentLost, notLeft, wasSuspended, type HostOptions } from './host-options.ts';
import { InUse } from './in-use.ts';
import { deadlineFrom, evicted, isIn, newMember, renewed, sees, writesOf, type Member } from './member.ts';
import { inherited, observed, type Membership } from './membership.ts';
import { Repeated } from './repeated.ts';
import type { Site } from './document.ts';
import type { SiteEvent } from './events.ts';
import { follow, replaceLost, type Answer } from './store.ts';

/** The wait before a failed renewal or write is sent again, ms. */
const again = 500;
/** How often a host checks for overdue hosts, ms. */
const look = 1_000;

export class Host {
  readonly #options: HostOptions;
  #member: Member;
  #incarnations = 0;
  #isBusy = false;
  #isRefounding = false;
  /** The member as it was when its successor was to take over; null while this is the member itself. */
  #retired: Member | null = null;
  #notBefore = 0;
  readonly #inUse = new InUse();
  #sleepOffset: number;
  #deadline: NodeJS.Timeout | undefined;
  #looking: NodeJS.Timeout | undefined;
  readonly #renewals = new Repeated(() => this.#renew());
  readonly #stopped = new AbortController();
  readonly #calls: Calls;

  constructor(options: HostOptions) {
    this.#options = options;
    this.#calls = new Calls(options.log, this.#stopped.signal);
    const { host, name, version, membership, rules } = options;
    const incarnation = membership?.incarnation ?? this.#incarnation();
    const member = newMember({ host, incarnation }, name, version);
    this.#member = membership === null ? member : inherited(member, membership, rules);
    this.#incarnations = Number(incarnation.split('.').at(-1));
    this.#sleepOffset = membership?.sleepOffset ?? sleepOffset();
  }

  #incarnation(): string {
    return `${this.#options.primary}.${++this.#incarnations}`;
  }

  /** Its successor is the member, or is about to be. */
  get isFormer(): boolean {
    return this.#retired !== null;
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
    return this.#calls.trouble;
  }

  /** The estimated time of MongoDB's clock, ms. */
  get serverNow(): number {
    return this.#calls.serverNow;
  }

  start(): void {
    this.#armDeadline();
    this.#looking = setInterval(() => this.poke(), look).unref();
    this.#renewals.now();
    void follow((site, now) => this.#take(site, now), {
      store: this.#options.store,
      makes: () => !this.isFormer,
      signal: this.#stopped.signal,
    });
    this.poke();
  }

  /** Sends the next write, if there is one. Call it when something on this host has changed. */
  poke(): void {
    if (this.#isBusy || this.#isRefounding || this.isFormer || clock() < this.#notBefore) return;
    if (this.#stopped.signal.aborted) return;
    const { local, rules, replaces } = this.#options;
    const [next] = writesOf(this.#member, local(), this.serverNow, rules);
    if (next === undefined) return;
    void this.#send(next.type === 'join' && replaces !== null ? { ...next, replaces } : next);
  }

  /**
   * Writes an operator's order. Rejects if MongoDB does not answer.
   * @throws QuiesceError `stopping` if its successor is the member
   */
  async write(event: SiteEvent): Promise<Answer> {
    if (this.isFormer)
      throw new QuiesceError('stopping', 'Another primary takes over. Give the order again in a moment.');
    const answer = await this.#calls.send(this.#options.store.apply(event));
    this.#take(answer.site, answer.now);
    return answer;
  }

  /**
   * Writes nothing more, and returns what the successor goes on with: its deadline is that of a last renewal, which is sent
   * when every other write has been answered. Later only reads until when this host counts.
   *
   * @throws QuiesceError `database-unavailable`; then nothing has changed, and it renews on
   */
  async retire(): Promise<Membership> {
    const { store, rules } = this.#options;
    this.#retired = this.#member;
    await this.#calls.settled();
    const sentAt = clock();
    const { ref, site: seen } = this.#member;
    try {
      if (!isIn(this.#member) || this.#isRefounding) throw new Error('it is not in the cluster');
      const { site, refused, now } = await store.renew(ref);
      if (refused !== null || isForgetful(site, seen!, true)) throw new Error('it was taken out of the cluster');
      this.#take(site, now, (member) => renewed(member, site, sentAt, rules));
    } catch (cause) {
      this.goOn();
      const what = `This host cannot hand its membership of the cluster over now: ${(cause as Error).message}.`;
      throw new QuiesceError('database-unavailable', what, { cause });
    }
    return { incarnation: ref.incarnation, deadline: deadlineFrom(sentAt, rules), site: this.#member.site! };
  }

  /** There is no successor after all: this host is the member, as before. */
  goOn(): void {
    const before = this.#retired ?? this.#member;
    this.#retired = null;
    this.#member = this.#afterEviction(before, this.#member); // it may have been taken out meanwhile
    this.#renewals.now();
    this.poke();
  }

  /** Takes this host out of the document, unless it is its successor's. @param areAllGone no worker of this host is left */
  async leave(areAllGone = true): Promise<void> {
    this.#stopped.abort();
    clearInterval(this.#looking);
    this.#renewals.stop();
    clearTimeout(this.#deadline);
    await this.#calls.settled();
    const { store, log } = this.#options;
    try {
      if (areAllGone && !this.isFormer) await store.apply({ type: 'leave', ref: this.#member.ref });
    } catch (error) {
      log.warn({ err: error }, notLeft);
    }
    await store.close();
  }

  async #send(event: SiteEvent): Promise<void> {
    this.#isBusy = true;
    const sentAt = clock();
    try {
      this.#answered(event, sentAt, await this.#calls.send(this.#options.store.apply(event)));
    } catch (error) {
      this.#calls.failed(error);
      this.#notBefore = clock() + again;
    }
    this.#isBusy = false;
    if (clock() >= this.#notBefore) this.poke();
  }

  #answered(event: SiteEvent, sentAt: number, { site, refused, now }: Answer): void {
    this.#calls.succeeded();
    const { rules, log, name, onRefused } = this.#options;
    // Sent again at once, the same write would be refused again.
    if (refused === 'host-in-use' || refused === 'not-yet') this.#notBefore = clock() + again;
    if (refused === 'host-in-use')
      this.#calls.isBarred(this.#inUse.tell(site.hosts[this.#member.ref.host]!, rules, log));
    const isOurs = !('ref' in event) || event.ref.incarnation === this.#member.ref.incarnation;
    if (isOurs && refused === null && (event.type === 'join' || event.type === 'renew')) {
      if (event.type === 'join')
        log.info({ site: site.identity, epoch: site.epoch }, `host ${name} has joined the cluster`);
      return this.#take(site, now, (member) => renewed(member, site, sentAt, rules));
    }
    if (isOurs && refused === 'evicted') return this.#take(site, now, (member) => evicted(member, this.#incarnation()));
    if (event.type === 'evict' && refused === null)
      log.warn({ host: event.host }, `host ${event.host} was evicted from the cluster: it did not renew its lease`);
    this.#take(site, now);
    if (isOurs && refused !== null) onRefused(event, refused, site);
  }

  #take(site: Site, now?: number, more: (member: Member) => Member = (member) => member): void {
    if (now !== undefined) this.#calls.notedTime(now);
    const before = this.#member;
    const isOther = before.site !== null && before.site.identity !== site.identity;
    const isLost = isOther && isForgetful(site, before.site, false);
    if (isLost && this.isFormer) return this.#countUntil(clock() - 1); // its successor replaces the document
    if (isLost) void this.#refound(before.site);
    const next = more(sees(before, site));
    this.#member = this.isFormer ? next : this.#afterEviction(before, next);
    this.#armDeadline();
    this.#options.onView();
    this.poke();
  }

  #afterEviction(before: Member, after: Member): Member {
    const { log, name, rules, onEviction } = this.#options;
    const isOut = isIn(before) && !isIn(after);
    // The change stream or a refused renewal shows this, whichever comes first.
    if (isOut) log.warn({}, `host ${name} was taken out of the cluster and joins it again`);
    const isSame = after.ref.incarnation === before.ref.incarnation;
    const next = isOut && isSame ? evicted(after, this.#incarnation()) : after;
    evictionsBetween(before, next, this.serverNow, rules).forEach(onEviction);
    return next;
  }

  #countUntil(deadline: number): void {
    this.#member = { ...this.#member, deadline: Math.min(this.#member.deadline, deadline) };
    this.#armDeadline();
    this.#options.onView();
  }

  /**
   * The document was dropped or restored: this host's lease ends now, and requests in flight get the eviction grace.
   */
  async #refound(seen: Site): Promise<void> {
    if (this.#isRefounding) return;
    this.#isRefounding = true;
    this.#options.log.warn({ epoch: seen.epoch }, documentLost);
    this.#countUntil(clock() - 1);
    // Do not join before the document is replaced: without its hold or run, it would open this host's gates.
    const { store } = this.#options;
    const answer = await replaceLost(seen, store, (error) => this.#calls.failed(error), this.#stopped.signal);
    if (answer !== null) this.#take(answer.site, answer.now);
    this.#isRefounding = false;
    this.poke();
  }

  #armDeadline(): void {
    clearTimeout(this.#deadline);
    const left = this.#member.deadline - clock();
    if (!Number.isFinite(left) || left < 0) return;
    this.#deadline = setTimeout(() => this.#options.onView(), left + 1).unref();
  }

  /** Sends a renewal, outside the queue of writes, so that no other write delays it. Returns the wait for the next, ms. */
  async #renew(): Promise<number> {
    const { store, rules } = this.#options;
    this.#noticeSleep();
    const { ref, site: seen } = this.#member;
    const sentAt = clock();
    try {
      if (this.isFormer) await this.#observe(sentAt);
      else if (!isIn(this.#member)) return again;
      else {
        const answer = await this.#calls.send(store.renew(ref));
        // The renewal was sent after `seen` was read. If its answer is older, someone has restored an older document.
        if (isForgetful(answer.site, seen!, answer.refused === null)) void this.#refound(seen!);
        else this.#answered({ type: 'renew', ref }, sentAt, answer);
      }
    } catch (error) {
      this.#calls.failed(error);
      return again;
    }
    return rules.renewal;
  }

  /** The successor renews: what is in flight here may go on as long as the host counts. */
  async #observe(sentAt: number): Promise<void> {
    const { store, rules } = this.#options;
    const found = await store.peek();
    this.#calls.succeeded();
    if (found !== null) this.#take(found.site, found.now, (member) => observed(member, sentAt, found.now, rules));
  }

  /**
   * Shortens the deadline by the time that the machine slept: the monotonic clock stood still, the database's did not.
   */
  #noticeSleep(): void {
    const asleep = sleptSince(this.#sleepOffset);
    this.#sleepOffset = sleepOffset();
    if (asleep === 0) return;
    this.#options.log.warn({ ms: Math.round(asleep) }, wasSuspended);
    this.#countUntil(this.#member.deadline - asleep);
  }
}
