/** `GET /api/resources` and `/api/resources/<key>`: the mirrored documents. */
import { Router, type Request, type Response } from 'express';
import { BSON, type Collection, type Document, type MongoClient } from 'mongodb';
import { QuiesceError } from '../../errors.ts';
import { readOnly } from './read-only.ts';
import { decodeKey, encodeKey, keysFromPath } from './resource-key.ts';

export interface ResourcesOptions {
  readonly client: MongoClient;
  readonly db: string | null;
  readonly collection: string;
  /** The member of the feed's items that is stored as `_id`. */
  readonly key: string;
}

const defaultLimit = 100;
const maxLimit = 1_000;

export function resources({ client, db, collection: name, key }: ResourcesOptions): Router {
  const collection: Collection<Document> = client.db(db ?? undefined).collection(name);
  // Relaxed Extended JSON: plain JSON for all that JSON has, and the way a feed with extendedJson writes the rest.
  const toItem = ({ _id, ...rest }: Document): Document =>
    BSON.EJSON.serialize({ [key]: _id, ...rest }, { relaxed: true });
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
    // One more than asked tells whether there is a next page.
    const cursor = collection
      .find({}, { limit: limit + 1 })
      .sort({ _id: 1 })
      .hint({ _id: 1 });
    if (after !== undefined) {
      // `$gt` finds keys of the same type only; the bound of an index knows the order of all.
      const key = readAfter(after);
      cursor.filter({ _id: { $ne: key } }).min({ _id: key });
    }
    const found = await cursor.toArray();
    const page = found.slice(0, limit);
    const next = found.length > limit ? encodeKey(page.at(-1)!['_id']) : null;
    send(res, { items: page.map(toItem), next });
  });

  router.get('/:key', async (req, res) => {
    const wanted = req.params.key;
    const candidates = keysFromPath(wanted);
    const found = await collection.findOne({ _id: { $in: candidates } } as Document);
    if (found === null)
      throw new QuiesceError('not-found', `There is no document with the key ${JSON.stringify(wanted)}.`);
    send(res, toItem(found));
  });

  return router;
}

/** Express computes a weak ETag of the body and answers 304 to a matching If-None-Match. */
function send(res: Response, body: unknown): void {
  res.set('Cache-Control', 'no-cache').json(body);
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
