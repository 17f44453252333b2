/**
 * Keeps accepted feeds whose runs are not finished. A host that is alone has the journal and its spool; the hosts of a
 * cluster have a second store besides, by which another host finishes what one leaves.
 */
import type { Logger } from 'pino';
import type { Journal, JournalEntry } from './journal.ts';
import { quietly } from '../history/quietly.ts';
import { mustRunBefore, type Work } from '../history/report.ts';
import type { RunStore } from '../history/history.ts';

export interface FeedStore {
  /**
   * Keeps a feed, or what has become of its run. Resolves when that survives what the store is made for.
   * @throws QuiesceError `insufficient-storage`
   */
  put(entry: JournalEntry): Promise<void>;
  /** The run has ended here. Its feed goes as soon as nobody can need it. */
  remove(run: string): Promise<void>;
}

export interface KeptFeedsDeps {
  readonly runs: RunStore;
  readonly journal: Journal;
  readonly log: Logger;
}

export class KeptFeeds {
  readonly #deps: KeptFeedsDeps;
  #stores: readonly FeedStore[];

  constructor(deps: KeptFeedsDeps) {
    this.#deps = deps;
    this.#stores = [deps.journal];
  }

  /** To be called before the first feed: what other hosts can fetch is there before this host's client hears of it. */
  shareBy(store: FeedStore): void {
    this.#stores = [store, this.#deps.journal];
  }

  /** @throws QuiesceError `insufficient-storage` */
  async put(run: string, state: JournalEntry['state'], work: Work): Promise<void> {
    const startedAt = this.#deps.runs.get(run)?.startedAt ?? new Date().toISOString();
    const before = mustRunBefore(work) ? ({ before: true } as const) : {};
    const { feed, mirror, settings, reserved: epoch } = work;
    const entry = { run, state, startedAt, feed: feed!, mirror: mirror!, settings, epoch, ...before };
    for (const store of this.#stores) await store.put(entry);
  }

  async remove(run: string): Promise<void> {
    for (const store of this.#stores) await quietly(this.#deps.log, store.remove(run), run);
  }
}
