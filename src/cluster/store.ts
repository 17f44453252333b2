/**
 * Reads and writes the site document in MongoDB. Whatever the connection string says, reads go to MongoDB's primary and
 * writes wait for majority and journal. Times are by the server's clock: `$$NOW` is read before the write, so a time
 * can be too early, never too late.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient, type Collection, type Document } from 'mongodb';
import * as z from '../vendor/zod.ts';
import { mirrorUri } from '../config/values/mongodb-uri.ts';
import { QuiesceError } from '../errors.ts';
import { isDuplicateKey } from '../duplicate-key.ts';
import { eachChange } from './collections.ts';
import type { HostRef, Site, SiteRules } from './document.ts';
import type { Refusal, SiteEvent } from './events.ts';
import { RunLog, runsCollection } from './run-log.ts';
import { newSite, refounded } from './founding.ts';
import { siteSchema } from './schema.ts';
import { siteStep } from './site.ts';

export const siteCollection = 'quiesce.cluster';
/** The newest format of the document that this version knows. */
const format = 1;
/** How many times a write is tried if other hosts keep writing first. */
const tries = 30;
/** The timeout for finding a server and for an answer, ms. A shorter lease ends before a call gives up. */
const patience = 3_000;

/** The wait before a lost document is replaced again, ms. */
const refoundAgain = 500;

/** The wait before the document is read and the change stream is opened again, ms. */
const followAgain = 1_000;

export interface StoreOptions {
  readonly uri: string;
  readonly db: string | null;
  /** The name of the cluster. */
  readonly name: string;
  readonly rules: SiteRules;
  /** The newest epoch that this host knows. A new document starts here, so that its pauses are above every fence. */
  readonly epoch: number;
}

export interface Answer {
  readonly site: Site;
  readonly refused: Refusal | null;
  /** The server's clock, ms. */
  readonly now: number;
}

interface SiteDocument extends Document {
  _id: string;
}

export class SiteStore {
  readonly #options: StoreOptions;
  readonly #client: MongoClient;
  readonly #collection: Collection<SiteDocument>;
  #hasRead = false;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#client = new MongoClient(mirrorUri(options.uri), {
      appName: 'quiesce-cluster',
      readPreference: 'primary',
      readConcern: { level: 'majority' },
      writeConcern: { w: 'majority', journal: true },
      maxPoolSize: 4,
      serverSelectionTimeoutMS: patience,
      connectTimeoutMS: patience,
      socketTimeoutMS: 2 * patience,
      heartbeatFrequencyMS: 2_000,
    });
    const { db } = options;
    this.#collection = this.#client.db(db ?? undefined).collection(siteCollection, { ignoreUndefined: true });
  }

  /**
   * @throws QuiesceError `bad-config` if MongoDB has no transactions: without them the fence cannot refuse an evicted
   * host
   */
  async check(): Promise<void> {
    const hello = await this.#client.db('admin').command({ hello: 1 });
    if (typeof hello['setName'] === 'string' || hello['msg'] === 'isdbgrid') return;
    throw new QuiesceError(
      'bad-config',
      'quiesce.cluster.name needs a MongoDB replica set (a single member is enough): a standalone server has no transactions and no change streams.',
    );
  }

  /** Reads the document; null if there is none. */
  async peek(): Promise<{ site: Site; now: number } | null> {
    const found = await this.#find();
    return found === null ? null : this.#parse(found);
  }

  /** Reads the document; creates it if there is none. */
  async read(): Promise<{ site: Site; now: number }> {
    const found = await this.peek();
    if (found !== null) return found;
    const { name, epoch } = this.#options;
    // If no epoch was ever used and no document was ever read, there was no cluster before.
    const founded = epoch === 0 && !this.#hasRead ? null : await this.#now();
    const fresh = { _id: name, format, ...newSite(randomUUID(), epoch, founded) };
    await this.#collection.insertOne(fresh).catch((error: unknown) => {
      if (!isDuplicateKey(error)) throw error;
    });
    const made = await this.#find();
    if (made === null)
      throw new QuiesceError(
        'database-unavailable',
        `The cluster document ${name} in ${siteCollection} was removed right after this host had created it. Find out what removes it.`,
      );
    return this.#parse(made);
  }

  async #now(): Promise<number> {
    const { localTime } = await this.#client.db('admin').command({ hello: 1 });
    return (localTime as Date).getTime();
  }

  /**
   * Replaces a document that was dropped or restored with what this host remembers. Null if there is nothing to
   * replace.
   */
  async refound(seen: Site): Promise<Answer | null> {
    for (let left = tries; left > 0; left--) {
      const { site, now } = await this.read();
      const next = refounded(site, seen, randomUUID(), now);
      if (next === null) return null;
      const written = await this.#replace(site, next);
      if (written !== null) return { ...written, refused: null };
    }
    return null;
  }

  #replace({ identity, version }: Site, next: Site): Promise<{ site: Site; now: number } | null> {
    const _id = this.#options.name;
    return this.#write({ _id, identity, version }, [{ $replaceWith: { $literal: { _id, ...next } } }]);
  }

  #find(): Promise<Document | null> {
    const pipeline = [{ $match: { _id: this.#options.name } }, { $set: { now: { $toLong: '$$NOW' } } }];
    return this.#collection.aggregate(pipeline, { maxTimeMS: patience }).next();
  }

  /** Applies the event to the document; reads it again and retries if another host wrote first. */
  async apply(event: SiteEvent): Promise<Answer> {
    for (let left = tries; left > 0; left--) {
      const { site, now } = await this.read();
      const next = siteStep(site, event, now, this.#options.rules);
      if (next.refused !== null || next.site === site) return { ...next, now };
      const written = await this.#replace(site, next.site);
      if (written !== null) return { ...written, refused: null };
      await delay(Math.random() * 10);
    }
    throw new QuiesceError(
      'database-unavailable',
      `Other hosts wrote the cluster document first, ${tries} times in a row. Try again.`,
    );
  }

  /**
   * Renews the lease in a single command, which also returns the newest document: it is by far the most frequent write.
   */
  async renew(host: HostRef): Promise<Answer> {
    const lease = `hosts.${host.host}.lease`;
    const written = await this.#write(
      { _id: this.#options.name, [`hosts.${host.host}.incarnation`]: host.incarnation },
      [
        {
          $set: {
            [lease]: { $add: [{ $toLong: '$$NOW' }, this.#options.rules.lease] },
            version: { $add: ['$version', 1] },
          },
        },
      ],
    );
    if (written !== null) return { ...written, refused: null };
    return { ...(await this.read()), refused: 'evicted' };
  }

  async #write(filter: Document, update: Document[]): Promise<{ site: Site; now: number } | null> {
    const document = await this.#collection.findOneAndUpdate(
      filter,
      [...update, { $set: { now: { $toLong: '$$NOW' } } }],
      { returnDocument: 'after', maxTimeMS: patience },
    );
    return document === null ? null : this.#parse(document);
  }

  /** Calls `onSite` after each change. Returns when the signal is aborted; rejects when the stream fails. */
  async watch(onSite: (site: Site) => void, signal: AbortSignal): Promise<void> {
    const own = { 'documentKey._id': this.#options.name };
    await eachChange(this.#collection, own, (document) => onSite(this.#parse(document).site), signal);
  }

  /** The history of all hosts. @param kept the number of ended runs to keep, per kind */
  runLog(kept: number): RunLog {
    const { db, name } = this.#options;
    return new RunLog(this.#client.db(db ?? undefined).collection(runsCollection), name, kept);
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  #parse(document: Document): { site: Site; now: number } {
    const { _id: name, now, ...rest } = document;
    const parsed = siteSchema.safeParse(rest);
    if (!parsed.success || parsed.data.format > format) {
      const what = `This version of quiesce cannot read the cluster document ${String(name)} in ${siteCollection}`;
      const why = parsed.success
        ? `its format is ${parsed.data.format}, and this version knows formats up to ${format}. Start this host with the version of quiesce that the other hosts run`
        : `${z.prettifyError(parsed.error)}. Correct it, or stop all hosts, remove it and start them again`;
      throw new QuiesceError('bad-config', `${what}: ${why}.`);
    }
    this.#hasRead = true;
    return { site: parsed.data, now: Number(now) };
  }
}

/**
 * Replaces a document that was dropped or restored, however long that takes. Null if somebody else has done it, or the signal
 * is aborted.
 */
export async function replaceLost(
  seen: Site,
  store: Pick<SiteStore, 'refound'>,
  failed: (error: unknown) => void,
  signal: AbortSignal,
): Promise<Answer | null> {
  while (!signal.aborted) {
    try {
      return await store.refound(seen);
    } catch (error) {
      failed(error);
      await delay(refoundAgain);
    }
  }
  return null;
}

export interface FollowOptions {
  readonly store: Pick<SiteStore, 'peek' | 'read' | 'watch'>;
  /** Whether to make the document if there is none. */
  readonly makes: () => boolean;
  readonly signal: AbortSignal;
}

/** Calls `onSite` with the document as it is, and after each change, until the signal is aborted. */
export async function follow(
  onSite: (site: Site, now?: number) => void,
  { store, makes, signal }: FollowOptions,
): Promise<void> {
  while (!signal.aborted) {
    // The stream shows later changes only, so the current document is read as well.
    const current = (makes() ? store.read() : store.peek()).then((found) => {
      if (found !== null) onSite(found.site, found.now);
    });
    current.catch(() => {}); // a failing renewal logs the same trouble
    await store.watch((site) => onSite(site), signal).catch(() => {});
    await current.catch(() => {});
    if (!signal.aborted) await delay(followAgain, undefined, { ref: false });
  }
}
