/** Fetches one feed into a file. A thread: TLS and hashes of a large feed would stop the primary, and so the site. */
import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { parentPort, workerData } from 'node:worker_threads';
import { noRoomFor } from '../../disk-full.ts';
import { QuiesceError, toQuiesceError } from '../../errors.ts';
import { fetchChanged } from '../../fetch/fetch-feed.ts';
import { sourceOf, type FeedKind } from '../../fetch/feed-kind.ts';
import type { SpooledFeed } from '../../protocol/workers/mirror-job.ts';
import type { FetchJob, FromFetchThread } from './messages.ts';

if (!parentPort) throw new Error('A feed is fetched in a thread.');
const port = parentPort;
const job = workerData as FetchJob;

const hints = { timeout: 'timeout of sync.source', maxBytes: 'sync.max_bytes', headers: 'headers of sync.source' };
/** ms */
const waits = { connect: 10_000, idle: 30_000 };

async function fetched(): Promise<FromFetchThread> {
  const started = performance.now();
  const { headers, known, maxBytes, format } = job;
  const limits = { ...waits, total: job.timeout };
  const found = await fetchChanged(
    job.url,
    { format: format ?? undefined, headers, known, limits, maxBytes, hints },
    keep,
  );
  if (found === 'unchanged') return { type: 'unchanged' };
  const uploadMs = performance.now() - started;
  return { type: 'fetched', known: found.known, feed: { ...found.kept, uploadMs } };
}

/** Written once, as it is to be read: this file becomes that of the run. No run is claimed before it is complete. */
async function keep(body: Readable, kind: FeedKind): Promise<Omit<SpooledFeed, 'uploadMs'>> {
  try {
    const file = await open(job.target, 'wx', 0o600);
    try {
      // Begun when it can be read: nobody would hear of a fault before.
      const { stream, format, coding } = sourceOf(body, kind, undefined);
      return { path: job.target, ...(await write(stream, file)), format, coding };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof QuiesceError) throw error;
    const what = `The feed cannot be kept in the data directory: ${(error as Error).message}. Nothing was changed.`;
    throw noRoomFor('feed', error) ?? new QuiesceError('insufficient-storage', what, { cause: error });
  }
}

async function write(stream: Readable, file: FileHandle): Promise<Pick<SpooledFeed, 'bytes' | 'digest'>> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > job.maxBytes)
      throw new QuiesceError(
        'payload-too-large',
        `The feed has more than the ${job.maxBytes} bytes that are allowed (sync.max_bytes) once it is no longer CSV.`,
      );
    hash.update(chunk);
    await file.writeFile(chunk);
  }
  await file.sync();
  return { bytes, digest: hash.digest('base64') };
}

fetched().then(
  (message) => port.postMessage(message),
  (error: unknown) =>
    port.postMessage({
      type: 'failed',
      problem: toQuiesceError(error, 'fetch-failed').toProblem(),
    } satisfies FromFetchThread),
);
