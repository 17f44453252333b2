/** Fetches one feed into a file. A thread: TLS and hashes of a large feed would stop the primary, and so the site. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { noRoomFor } from '../../disk-full.ts';
import { QuiesceError, toQuiesceError } from '../../errors.ts';
import { fetchChanged } from '../../fetch/fetch-feed.ts';
import type { FeedSource } from '../../fetch/feed-kind.ts';
import type { SpooledFeed } from '../../protocol/mirror-job.ts';
import type { FetchJob, FromFetchThread } from './messages.ts';

if (!parentPort) throw new Error('A feed is fetched in a thread.');
const port = parentPort;
const job = workerData as FetchJob;

const hints = { timeout: 'timeout of sync.source', maxBytes: 'sync.max_bytes', headers: 'headers of sync.source' };
/** ms */
const waits = { connect: 10_000, idle: 30_000 };

async function fetched(): Promise<FromFetchThread> {
  const started = performance.now();
  const found = await fetchChanged(job.url, {
    format: job.format ?? undefined,
    headers: job.headers,
    known: job.known,
    limits: { ...waits, total: job.timeout },
    maxBytes: job.maxBytes,
    folder: dirname(job.target),
    hints,
  });
  if (found === 'unchanged') return { type: 'unchanged' };
  const stored = await store(found.source).catch((error: unknown) => {
    throw noRoomFor('feed', error) ?? error;
  });
  const uploadMs = performance.now() - started;
  return { type: 'fetched', known: found.known, feed: { ...stored, uploadMs } };
}

async function store({ stream, format, coding }: FeedSource): Promise<Omit<SpooledFeed, 'uploadMs'>> {
  const hash = createHash('sha256');
  let bytes = 0;
  const file = await open(job.target, 'wx', 0o600);
  try {
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
  } finally {
    stream.destroy();
    await file.close();
  }
  return { path: job.target, bytes, digest: hash.digest('base64'), format, coding };
}

fetched().then(
  (message) => port.postMessage(message),
  (error: unknown) =>
    port.postMessage({
      type: 'failed',
      problem: toQuiesceError(error, 'fetch-failed').toProblem(),
    } satisfies FromFetchThread),
);
