/** Turns events of the cluster into notices. Costs nothing without receivers. */
import { randomUUID } from 'node:crypto';
import type { QuiesceError } from '../../errors.ts';
import type { Receiver } from '../../config/values/receivers.ts';
import { isEnded } from '../../protocol/api/is-ended.ts';
import type { HoldStatus, RunRecord } from '../../protocol/api/runs.ts';
import { runKinds } from '../../protocol/words.ts';
import type { Observer } from '../live/observers.ts';
import type { WorkerExit, WorkerRef } from '../ports.ts';
import type { Ticks } from '../ticks.ts';
import type { Notice } from './notice.ts';
import { keyOf, type Outbox } from './outbox.ts';
import { shortened } from '../../shortened.ts';

/** Cuts a text to the longest that a notice has. */
const short = (text: string): string => shortened(text, 1_000);

/** How long before the end of a hold `hold-expiring` is sent, ms. A shorter hold gets no such notice. */
export const expiryNotice = 300_000;

export interface NoticesDeps {
  readonly app: string;
  readonly host: string;
  readonly receivers: () => readonly Receiver[];
  readonly holds: () => readonly HoldStatus[];
  /** When the last successful mirror run ended; null if there is none. */
  readonly lastMirror: () => string | null;
  readonly outbox: Pick<Outbox, 'add' | 'mark' | 'setMark'>;
  /** Which host tells of what all of them see; null where there is one. */
  readonly ticks: Ticks | null;
}

export class Notices implements Observer {
  readonly #deps: NoticesDeps;
  readonly #looping = new Set<number>();
  #failed: string | null = null;

  constructor(deps: NoticesDeps) {
    this.#deps = deps;
  }

  make(event: Notice['event'], message: string, details: Notice['details'] = {}): Notice {
    const { app, host } = this.#deps;
    return { id: randomUUID(), event, at: new Date().toISOString(), app, host, message: short(message), details };
  }

  run({ id, kind, state, error, endedAt }: RunRecord): void {
    if (!isEnded(state) || state === 'succeeded' || id === this.#failed) return;
    this.#failed = id;
    const why = error === undefined ? '' : `: ${short(error.detail)}`;
    const { code } = error ?? {};
    this.#tell(
      'run-failed',
      `The ${runKinds[kind]} ${id} has ${state === 'failed' ? 'failed' : 'been given up'}${why}`,
      {
        run: id,
        kind,
        state,
        ...(code === undefined ? {} : { code }),
        ...(endedAt === undefined ? {} : { endedAt }),
      },
    );
  }

  /** @param source the address, without what may be a secret */
  fetchFailed(source: string, error: QuiesceError): void {
    this.#tell('fetch-failed', `The feed of ${source} was not mirrored: ${short(error.message)}`, {
      source,
      code: error.code,
    });
  }

  gone({ slot, incarnation }: WorkerRef, { cause, reason }: WorkerExit): void {
    if (cause !== 'memory' && cause !== 'heartbeat') return;
    const why = cause === 'memory' ? 'it took too much memory' : 'its event loop was stuck';
    this.#tell('worker-replaced', `Worker ${slot}.${incarnation} was replaced: ${why}`, {
      slot,
      incarnation,
      cause,
      ...(reason === undefined ? {} : { reason: short(reason) }),
    });
  }

  backoff(slot: number, looping: boolean): void {
    const known = this.#looping.has(slot);
    if (!looping) this.#looping.delete(slot);
    else if (!known) {
      this.#looping.add(slot);
      this.#tell('crash-loop', `The workers of slot ${slot} keep failing; \`quiesce logs\` shows why`, { slot });
    }
  }

  restarted(): void {
    this.#tell('primary-restarted', 'The primary ended unexpectedly and was started again');
  }

  /** @param pid of the new one */
  replaced(pid: number): void {
    this.#tell('primary-replaced', `A new primary (pid ${pid}) has taken over, as \`quiesce reload --primary\` asked`, {
      pid,
    });
  }

  /** Call at each change of the cluster. The mark distinguishes a hold from the next one, also after a restart. */
  holdsChanged(): void {
    const { outbox } = this.#deps;
    if (this.#deps.receivers().length === 0) return;
    // What operators want of all hosts is not known while this one is out of the cluster.
    if (this.#deps.holds().some(({ kind }) => kind === 'cluster')) return;
    const hold = this.#operatorHold();
    const before = outbox.mark('hold');
    const since = hold?.since ?? null;
    if (before === since) return;
    outbox.setMark('hold', since);
    if (before !== null)
      this.#once('hold-ended', outbox.mark('hold of all hosts') === before, Date.parse(before), () =>
        this.#tell('hold-ended', `The hold of an operator has ended, since ${before}`, { since: before }),
      );
    outbox.setMark('hold of all hosts', hold?.allHosts === true ? since : null);
    if (hold === null) return;
    const { reason, by, until } = hold;
    const end = until === undefined ? '' : `, until ${until}`;
    const who = by === undefined ? 'An operator' : by;
    this.#once('hold-started', hold.allHosts === true, Date.parse(hold.since), () =>
      this.#tell('hold-started', `${who} holds the site${end}: ${reason}`, { ...hold }),
    );
  }

  /** Called every second; `now` in epoch ms. */
  tick(now: number): void {
    const receivers = this.#deps.receivers();
    if (receivers.length === 0) return;
    this.#tellExpiry(now);
    for (const receiver of receivers) if (receiver.overdue !== null) this.#tellOverdue(receiver, receiver.overdue, now);
  }

  #tellExpiry(now: number): void {
    const { outbox } = this.#deps;
    const hold = this.#operatorHold();
    if (hold?.until === undefined || outbox.mark('expiry') === hold.until) return;
    const end = Date.parse(hold.until);
    if (end - Date.parse(hold.since) <= expiryNotice || now < end - expiryNotice) return;
    outbox.setMark('expiry', hold.until);
    this.#once('hold-expiring', hold.allHosts === true, end - expiryNotice, () =>
      this.#tell('hold-expiring', `The hold ends by itself at ${hold.until}: ${hold.reason}`, { ...hold }),
    );
  }

  #tellOverdue(receiver: Receiver, overdue: number, now: number): void {
    const { outbox, lastMirror } = this.#deps;
    if (!receiver.events.includes('run-overdue')) return;
    const last = lastMirror();
    // If no run has succeeded yet, the time since the first check counts.
    if (last === null && outbox.mark('watched') === null) outbox.setMark('watched', new Date(now).toISOString());
    const since = last ?? outbox.mark('watched')!;
    const told = `overdue ${keyOf(receiver)}`;
    if (now - Date.parse(since) < overdue || outbox.mark(told) === since) return;
    outbox.setMark(told, since);
    this.#once(`run-overdue ${keyOf(receiver)}`, true, Date.parse(since), () =>
      outbox.add(this.make('run-overdue', `No mirror run has succeeded since ${since}`, { since, overdue }), [
        receiver,
      ]),
    );
  }

  /** Of several hosts one tells. Where they cannot be asked, each does: twice is better than not at all. */
  #once(what: string, isOfAll: boolean, at: number, tell: () => void): void {
    const { ticks } = this.#deps;
    if (ticks === null || !isOfAll) return tell();
    void ticks.wins(`notice ${what}`, at).then(
      (isOurs) => isOurs && tell(),
      () => tell(),
    );
  }

  #operatorHold(): HoldStatus | null {
    return this.#deps.holds().find(({ kind }) => kind === 'operator') ?? null;
  }

  #tell(event: Exclude<Notice['event'], 'test'>, message: string, details: Notice['details'] = {}): void {
    const wanted = this.#deps.receivers().filter(({ events }) => events.includes(event));
    if (wanted.length > 0) this.#deps.outbox.add(this.make(event, message, details), wanted);
  }
}
