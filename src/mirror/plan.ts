/** What has to be written to make the collection equal to the feed. */
import { QuiesceError } from '../errors.ts';
import type { MaxDeletes } from '../protocol/mirror-job.ts';
import type { Counts } from '../protocol/runs.ts';
import { itemFlag } from './prepared/item-table.ts';
import { IntList, KeyList } from './prepared/lists.ts';
import type { PreparedFeed } from './prepared/prepared-feed.ts';

export class Plan {
  readonly #feed: PreparedFeed;
  /** Items whose document differs from the stored one. */
  readonly updates: IntList = new IntList();
  /** Items that the collection does not have. */
  readonly inserts: IntList = new IntList();
  /** Stored keys that the feed does not have. */
  readonly deletes: KeyList = new KeyList();
  #unchanged = 0;

  constructor(feed: PreparedFeed) {
    this.#feed = feed;
    feed.table.clear(itemFlag.seen);
  }

  /** Takes one stored document; each once. */
  readonly take = (bytes: Uint8Array, at: number, end: number): void => {
    const feed = this.#feed;
    const comparison = feed.compare(bytes, at, end);
    if (comparison === 'missing') {
      this.deletes.push(feed.id);
      return;
    }
    feed.table.set(feed.found, itemFlag.seen);
    if (comparison === 'changed') this.updates.push(feed.found);
    else this.#unchanged++;
  };

  /** Every stored document has been taken: what is left is to be inserted. */
  finish(): void {
    const { table } = this.#feed;
    for (let item = 0; item < table.count; item++) if (!table.is(item, itemFlag.seen)) this.inserts.push(item);
  }

  get counts(): Counts {
    return {
      inserted: this.inserts.length,
      updated: this.updates.length,
      deleted: this.deletes.length,
      unchanged: this.#unchanged,
    };
  }

  /** How many documents would be written. */
  get size(): number {
    return this.inserts.length + this.updates.length + this.deletes.length;
  }

  /** @throws QuiesceError `too-many-deletes` */
  checkDeletes(maxDeletes: MaxDeletes | undefined): void {
    if (maxDeletes === undefined) return;
    const { deleted, updated, unchanged } = this.counts;
    const stored = deleted + updated + unchanged;
    const limit = typeof maxDeletes === 'number' ? maxDeletes : (Number.parseFloat(maxDeletes) / 100) * stored;
    if (deleted <= limit) return;
    throw new QuiesceError(
      'too-many-deletes',
      `The feed would delete ${deleted} of ${stored} documents, and max_deletes allows ${maxDeletes}. Nothing was changed. Is the feed complete?`,
      { extra: { deletes: deleted, stored, maxDeletes } },
    );
  }
}
