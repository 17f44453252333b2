/** One MongoDB with a collection for each size, a feed for each change, and a process for each measurement. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Db } from 'mongodb';
import { load, writeFeed, type Change, type Item } from './data.ts';
import type { Measured, Order } from './measure.ts';
import type { SubjectName } from './subjects.ts';

export class Bench {
  readonly uri: string;
  readonly db: Db;
  readonly #folder: string;
  readonly #loaded = new Set<number>();
  readonly #feeds = new Map<string, string>();
  #round = 0;

  constructor(uri: string, db: Db, folder: string) {
    this.uri = uri;
    this.db = db;
    this.#folder = folder;
  }

  /** The name of the collection with so many items, loaded at its first use. */
  async collection(size: number): Promise<string> {
    const name = `items-${size}`;
    if (!this.#loaded.has(size)) await load(this.db.collection<Item>(name), size);
    this.#loaded.add(size);
    return name;
  }

  /** The path of the feed, written at its first use. */
  async feed(change: Change): Promise<string> {
    const key = `${change.size}-${change.count}`;
    const path = this.#feeds.get(key) ?? join(this.#folder, `${key}.json`);
    if (!this.#feeds.has(key)) await writeFeed(path, change);
    this.#feeds.set(key, path);
    return path;
  }

  /** What was written before is on the disk, so that the next measurement does not pay for it. */
  async #rest(): Promise<void> {
    await this.db.admin().command({ fsync: 1 });
  }

  async measured(subject: SubjectName, change: Change): Promise<Measured> {
    const order: Order = {
      subject,
      uri: this.uri,
      db: this.db.databaseName,
      into: await this.collection(change.size),
      change,
      feed: await this.feed(change),
      folder: this.#folder,
      round: ++this.#round,
    };
    await this.#rest();
    const child = fork(fileURLToPath(new URL('./measure.js', import.meta.url)));
    child.send(order);
    const [result] = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => [null])]);
    if (result === null) throw new Error(`${subject} failed`);
    await once(child, 'exit');
    return result as Measured;
  }
}
