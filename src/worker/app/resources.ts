/** `GET /api/resources` and `/api/resources/<key>`: the mirrored documents. */
import { Router, type Request, type Response } from 'express';
import type { Collection, Document, Filter, MongoClient } from 'mongodb';
import { QuiesceError } from '../../errors.ts';
import { Elements, idElement } from '../../mirror/bson/elements.ts';
import { plainKey, type MirrorKey } from '../../protocol/feed/mirror-key.ts';
import { memberToJson, valueToJson } from '../../mirror/bson/to-json.ts';
import { readOnly } from './read-only.ts';
import { decodeKey, encodeKey, keysFromPath } from './resource-key.ts';

export interface ResourcesOptions {
  readonly client: MongoClient;
  readonly db: string | null;
  readonly collection: string;
  /** The key of the mirror, which is stored as `_id`. */
  readonly key: MirrorKey;
}

const defaultLimit = 100;
const maxLimit = 1_000;

export function resources({ client, db, collection: collectionName, key }: ResourcesOptions): Router {
  const collection: Collection<Document> = client.db(db ?? undefined).collection(collectionName);
  const name = plainKey(key);
  const keyName = name === null ? null : JSON.stringify(name);
  const router = Router();
  router.all(['/', '/:key'], readOnly);
  // A client whose first connection failed would never try again by itself.
  router.use(async (_req, _res, next) => {
    await client.connect();
    next();
  });

  router.get('/', async (req, res) => {
    const limit = readLimit(req);
    const after = req.query['after'];
    // One document more than requested shows whether there is a next page.
    const cursor = collection
      .find({}, { limit: limit + 1, raw: true })
      .sort({ _id: 1 })
      .hint({ _id: 1 });
    if (after !== undefined) {
      // `$gt` finds only keys of the same type; the bound of an index follows the order of all types.
      const key = readAfter(after);
      cursor.filter({ _id: { $ne: key } }).min({ _id: key });
    }
    const found = (await cursor.toArray()) as unknown[] as Uint8Array[];
    const page = found.slice(0, limit);
    const next = found.length > limit ? encodeKey(keyOf(page.at(-1)!)) : null;
    const items = page.map((document) => toItem(document, keyName)).join(',');
    send(res, `{"items":[${items}],"next":${JSON.stringify(next)}}`);
  });

  router.get('/:key', async (req, res) => {
    const wanted = req.params.key;
    const candidates = keysFromPath(wanted);
    const filter = { _id: { $in: candidates } } as unknown as Filter<Document>;
    const found = (await collection.findOne(filter, { raw: true })) as unknown as Uint8Array | null;
    if (found === null)
      throw new QuiesceError('not-found', `There is no document with the key ${JSON.stringify(wanted)}.`);
    send(res, toItem(found, keyName));
  });

  return router;
}

/**
 * The document's JSON, as in the feed: the key first, under its own name. Without a name, the key stays where the feed
 * had it, and `_id` is left out.
 */
function toItem(document: Uint8Array, keyName: string | null): string {
  const id = keyOf(document);
  const texts = keyName === null ? [] : [`${keyName}:${valueToJson(id.bytes, id.type, id.value, id.end)}`];
  const members = new Elements(document, 0);
  while (members.next()) {
    if (members.start === id.start) continue;
    const member = memberToJson(members);
    if (keyName === null || !member.startsWith(`${keyName}:`)) texts.push(member); // no feed can have stored it
  }
  return `{${texts.join(',')}}`;
}

function keyOf(document: Uint8Array): Elements {
  const id = new Elements(document, 0);
  idElement(id);
  return id;
}

/** Express computes a weak ETag of the body and answers 304 to a matching If-None-Match. */
function send(res: Response, json: string): void {
  res.set('Cache-Control', 'no-cache').type('application/json').send(json);
}

function readLimit(req: Request): number {
  const text = req.query['limit'];
  if (text === undefined) return defaultLimit;
  const limit = typeof text === 'string' && /^\d+$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > maxLimit)
    throw new QuiesceError(
      'bad-request',
      `limit must be a whole number from 1 to ${maxLimit}, not ${JSON.stringify(text)}.`,
    );
  return limit;
}

function readAfter(text: unknown): unknown {
  if (typeof text === 'string') return decodeKey(text);
  throw new QuiesceError('bad-request', 'after must be given once: the `next` of a former page, or a key.');
}
