/**
 * Feeds in GridFS, where each host of a cluster finds them. Loaded for a cluster only.
 *
 * A feed is stored as it came, still compressed. A file document is written after its chunks, so a feed whose upload was
 * cut off is never found; its chunks are removed after a day, as are feeds whose run nobody has ended.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GridFSBucket, ObjectId, type Collection, type Db, type Document } from 'mongodb';
import { QuiesceError } from '../errors.ts';
import { majority, type Clients } from './database/clients.ts';
import { isOutOfRoom } from './database/errors.ts';
import { patiently } from './database/write/patience.ts';
import type { FeedRequest, FetchedFeed } from './messages.ts';
import { shortened } from '../shortened.ts';

const bucketName = 'quiesce.feeds';
/** Each chunk is acknowledged by the majority before the next is sent: few large ones. */
const chunkSizeBytes = 4 * 1024 * 1024;
const orphanedAfter = 24 * 60 * 60 * 1_000;

interface StoredFeed extends Document {
  _id: string;
  uploadDate?: Date;
  metadata?: { cluster: string; entry: string };
}

/** `fetch` resolves with what was stored beside the feed and the digest of what came, the others with null. */
export async function onFeeds(request: FeedRequest, clients: Clients): Promise<FetchedFeed | null> {
  const { uri, db, timeout } = request.place;
  const client = clients.get(uri, timeout);
  return patiently(timeout, new AbortController().signal, async () => {
    await client.connect();
    return act(request, client.db(db)).catch((error: unknown) => {
      throw noRoom(error) ?? error;
    });
  });
}

async function act(request: FeedRequest, db: Db): Promise<FetchedFeed | null> {
  switch (request.do) {
    case 'keep':
      return keep(request, db);
    case 'mark': {
      const update = { $set: { 'metadata.entry': request.entry } };
      await filesOf(db).updateOne({ _id: request.run }, update, { writeConcern: majority });
      return null;
    }
    case 'fetch':
      return fetchTo(request, db);
    case 'forget':
      return forget(db, request.run);
    case 'sweep':
      return sweep(request, db);
    default:
      return request satisfies never;
  }
}

async function keep({ run, cluster, path, entry }: Extract<FeedRequest, { do: 'keep' }>, db: Db): Promise<null> {
  await forget(db, run); // what a former attempt has left
  const bucket = new GridFSBucket(db, { bucketName, chunkSizeBytes, writeConcern: majority });
  // The driver's type asks for an ObjectId; MongoDB does not.
  const id = run as unknown as ObjectId;
  const upload = bucket.openUploadStreamWithId(id, run, { metadata: { cluster, entry } });
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), upload);
  return null;
}

async function fetchTo({ run, path }: Extract<FeedRequest, { do: 'fetch' }>, db: Db): Promise<FetchedFeed> {
  const found = await filesOf(db).findOne({ _id: run });
  if (!found?.metadata)
    throw new QuiesceError('not-found', `The feed of run ${run} is not in ${bucketName}: something has removed it.`);
  const { entry } = found.metadata;
  const hash = createHash('sha256');
  const hashed = new Transform({
    transform(chunk: Buffer, _coding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const bucket = new GridFSBucket(db, { bucketName });
  try {
    const download = bucket.openDownloadStream(run as unknown as ObjectId);
    await pipeline(download, hashed, createWriteStream(path, { mode: 0o600, flush: true }));
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  return { entry, digest: hash.digest('base64') };
}

async function forget(db: Db, run: string): Promise<null> {
  await filesOf(db).deleteOne({ _id: run }, { writeConcern: majority });
  await chunksOf(db).deleteMany({ files_id: run });
  return null;
}

async function sweep({ cluster, except }: Extract<FeedRequest, { do: 'sweep' }>, db: Db): Promise<null> {
  const { localTime } = await db.admin().command({ hello: 1 });
  const before = new Date((localTime as Date).getTime() - orphanedAfter);
  const old = await filesOf(db)
    .find({ 'metadata.cluster': cluster, uploadDate: { $lt: before } }, { projection: { _id: 1 } })
    .toArray();
  // Of uploads that were cut off: their runs have no file document, whichever cluster they were of.
  const first = ObjectId.createFromTime(Math.floor(before.getTime() / 1_000));
  const parts = (await chunksOf(db).distinct('files_id', { _id: { $lt: first } })) as string[];
  const whole = await filesOf(db)
    .find({ _id: { $in: parts } }, { projection: { _id: 1 } })
    .toArray();
  const cutOff = parts.filter((run) => !whole.some(({ _id }) => _id === run));
  for (const run of [...old.map(({ _id }) => _id), ...cutOff]) if (run !== except) await forget(db, run);
  return null;
}

function filesOf(db: Db): Collection<StoredFeed> {
  return db.collection<StoredFeed>(`${bucketName}.files`);
}

function chunksOf(db: Db): Collection {
  return db.collection(`${bucketName}.chunks`);
}

function noRoom(error: unknown): QuiesceError | null {
  if (!isOutOfRoom(error)) return null;
  return new QuiesceError(
    'insufficient-storage',
    `There is no room for the feed in MongoDB (${bucketName}): ${shortened(error.message, 200)}. Nothing was changed. Free some space there and send it again.`,
    { cause: error },
  );
}
