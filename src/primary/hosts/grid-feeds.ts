/**
 * The feeds of a cluster's hosts, in GridFS: another host can finish a run whose owner is gone.
 *
 * kept ──(its run has ended here)──▶ over ──(the site document has another run, or none)──▶ removed
 *
 * A feed is not removed before the document says that its run is over: until then a host may have to take the run over.
 */
import { join } from 'node:path';
import type { Logger } from 'pino';
import * as z from '../../vendor/zod.ts';
import type { AppConfig } from '../../config.ts';
import { QuiesceError } from '../../errors.ts';
import type { MirrorThread } from '../../mirror/handle.ts';
import type { FeedPlace } from '../../mirror/messages.ts';
import { runRecord, type RunRecord } from '../../protocol/api/runs.ts';
import { mustHold } from '../data-dir/durable.ts';
import type { FeedStore } from '../runs/recovery/kept-feeds.ts';
import { quietly } from '../runs/history/quietly.ts';
import { journalEntry, type JournalEntry } from '../runs/recovery/journal.ts';

export interface GridFeedsDeps {
  readonly config: AppConfig;
  /** The name of the cluster. */
  readonly cluster: string;
  readonly thread: () => Pick<MirrorThread, 'feeds'>;
  readonly record: (run: string) => RunRecord | undefined;
  readonly log: Logger;
}

/** What is stored beside a feed. */
const stored = z.object({ entry: journalEntry, record: runRecord });
export type StoredRun = z.output<typeof stored>;

const sweepEvery = 24 * 60 * 60 * 1_000;

export class GridFeeds implements FeedStore {
  readonly #deps: GridFeedsDeps;
  /** Kept runs; with `before` of its mirror still to come, or not. */
  readonly #kept = new Map<string, boolean>();
  readonly #over = new Set<string>();
  #current: string | null = null;
  #swept = -Infinity;

  constructor(deps: GridFeedsDeps) {
    this.#deps = deps;
  }

  /** Whether every host can fetch the feed of this run. */
  readonly has = (run: string): boolean => this.#kept.has(run);

  async put(entry: JournalEntry): Promise<void> {
    const { run, feed, before = false } = entry;
    const text = (): string => JSON.stringify({ entry, record: this.#deps.record(run) });
    const { cluster } = this.#deps;
    const hadBefore = this.#kept.get(run);
    if (hadBefore === undefined && entry.state === 'accepted')
      await this.#ask({ do: 'keep', run, cluster, path: feed.path, entry: text() });
    else if (hadBefore === true && !before) await this.#ask({ do: 'mark', run, entry: text() });
    else return;
    this.#kept.set(run, before);
  }

  async remove(run: string): Promise<void> {
    this.#over.add(run);
    await this.#removeOver();
  }

  /**
   * Writes the feed of a run into this folder; resolves with what its owner knew of it.
   * @throws QuiesceError `not-found`, `database-unavailable`, `insufficient-storage`
   */
  async fetch(run: string, folder: string): Promise<StoredRun> {
    const path = join(folder, `taken-${run}`);
    mustHold(path);
    const { entry: text, digest } = (await this.#ask({ do: 'fetch', run, path }))!;
    const { entry, record } = stored.parse(JSON.parse(text));
    if (digest !== entry.feed.digest)
      throw new QuiesceError('run-failed', `The feed of run ${run} in GridFS is not the one that was accepted.`);
    this.#kept.set(run, entry.before === true);
    return { entry: { ...entry, state: 'writing', feed: { ...entry.feed, path } }, record };
  }

  /** The run of the site document; null where there is none. */
  look(current: string | null): void {
    if (current !== this.#current) {
      this.#current = current;
      void this.#removeOver();
    }
    if (performance.now() < this.#swept + sweepEvery) return;
    this.#swept = performance.now();
    const { cluster, log } = this.#deps;
    void quietly(log, this.#ask({ do: 'sweep', cluster, except: current }), 'feeds that nobody has ended');
  }

  async #removeOver(): Promise<void> {
    for (const run of this.#over) {
      if (run === this.#current) continue;
      this.#over.delete(run);
      this.#kept.delete(run);
      await quietly(this.#deps.log, this.#ask({ do: 'forget', run }), run);
    }
  }

  #ask(request: DistributiveOmit<Parameters<MirrorThread['feeds']>[0], 'place'>): ReturnType<MirrorThread['feeds']> {
    const { mongodb, sync } = this.#deps.config;
    const { uri, db } = mongodb;
    const place: FeedPlace = { uri: uri!, ...(db === null ? {} : { db }), timeout: sync.databaseTimeout };
    return this.#deps.thread().feeds({ ...request, place });
  }
}

type DistributiveOmit<T, K extends keyof T> = T extends unknown ? Omit<T, K> : never;
