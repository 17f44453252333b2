/**
 * Streams a request's body, untouched, into a spool file. The worker never parses it: a feed of hundreds of megabytes
 * must not stop it from serving.
 */
import { createHash } from 'node:crypto';
import { open, rm, type FileHandle } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { dirname } from 'node:path';
import { noRoomFor } from '../../disk-full.ts';
import { QuiesceError } from '../../errors.ts';
import type { SpooledFeed } from '../../protocol/workers/mirror-job.ts';
import { syncDirectory } from '../../sync-directory.ts';
import { tooLarge, type FeedHeaders } from './headers.ts';

export interface UploadLimits {
  readonly maxBytes: number;
  /** The limit for the whole upload, ms. */
  readonly timeout: number;
  /** The fewest bytes in each time window; default {@link leastRate}. */
  readonly rate?: { readonly bytes: number; readonly within: number };
}

/** Slower than any connection used for feeds. A slower client would keep all others from sending their feeds. */
export const leastRate = { bytes: 64 * 1024, within: 30_000 };

/**
 * Resolves when the feed is complete, verified and on disk. If it rejects, it leaves no file behind.
 *
 * @throws QuiesceError `payload-too-large`, `upload-timeout`, `upload-aborted`, `digest-mismatch`, `insufficient-storage`
 */
export async function spool(
  req: IncomingMessage,
  path: string,
  headers: FeedHeaders,
  limits: UploadLimits,
): Promise<SpooledFeed> {
  const started = performance.now();
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'wx', 0o600);
    const { bytes, digest } = await copy(req, file, limits);
    if (headers.sha256 !== null && headers.sha256 !== digest) {
      throw new QuiesceError(
        'digest-mismatch',
        `The body has sha-256 ${digest}, and Content-Digest says ${headers.sha256}. It was damaged on the way; send it again.`,
      );
    }
    await file.sync();
    await syncDirectory(dirname(path)); // otherwise a power cut may lose its name
    return {
      path,
      bytes,
      digest,
      format: headers.format,
      coding: headers.coding,
      uploadMs: performance.now() - started,
    };
  } catch (error) {
    // The file belongs to one run or dry run and is not handed over yet: no primary or successor knows it.
    await rm(path, { force: true });
    throw storageError(error);
  } finally {
    await file?.close();
  }
}

/** `for await` would destroy the request, and its socket with it, at the first error: then no answer could be sent. */
async function copy(
  req: IncomingMessage,
  file: FileHandle,
  limits: UploadLimits,
): Promise<{ bytes: number; digest: string }> {
  const hash = createHash('sha256');
  const chunks = req.iterator({ destroyOnReturn: false });
  let bytes = 0;
  let expired: QuiesceError | undefined;
  let giveUp = (_error: QuiesceError): void => {};
  const timer = setTimeout(() => {
    expired = new QuiesceError(
      'upload-timeout',
      `The feed was not complete after ${limits.timeout} ms (${bytes} bytes came). Raise sync.upload_timeout or send faster.`,
    );
    giveUp(expired);
  }, limits.timeout);
  const { rate = leastRate } = limits;
  let before = 0;
  const watch = setInterval(() => {
    if (bytes - before < rate.bytes) {
      expired ??= new QuiesceError(
        'upload-timeout',
        `Only ${bytes - before} bytes of the feed came in ${rate.within} ms, and at least ${rate.bytes} have to, so that nobody keeps others from sending theirs. Make the feed first, then send it.`,
      );
      giveUp(expired);
    }
    before = bytes;
  }, rate.within);
  // Not a race against one promise for the whole upload: that would keep every chunk until the end (ECMA-262, 27.2.4.5).
  const nextChunk = (): Promise<IteratorResult<unknown>> =>
    new Promise((resolve, reject) => {
      giveUp = reject;
      if (expired) return reject(expired);
      chunks.next().catch(aborted).then(resolve, reject);
    });
  try {
    for (;;) {
      const next = await nextChunk();
      if (next.done) return { bytes, digest: hash.digest('base64') };
      const chunk = next.value as Buffer;
      bytes += chunk.length;
      if (bytes > limits.maxBytes) throw tooLarge(limits.maxBytes, 'more came');
      hash.update(chunk);
      await writeAll(file, chunk);
    }
  } finally {
    clearTimeout(timer);
    clearInterval(watch);
    // Until the iterator releases the request, no other code can read what a refused client still sends.
    chunks.return?.().then(
      () => req.resume(),
      () => {},
    );
  }
}

async function writeAll(file: FileHandle, chunk: Buffer): Promise<void> {
  for (let offset = 0; offset < chunk.length;) {
    const { bytesWritten } = await file.write(chunk, offset);
    offset += bytesWritten;
  }
}

function aborted(cause: unknown): never {
  throw new QuiesceError('upload-aborted', 'The client went away before the feed was complete. Nothing was changed.', {
    cause,
  });
}

function storageError(error: unknown): unknown {
  if (error instanceof QuiesceError || (error as NodeJS.ErrnoException).code === undefined) return error;
  return (
    noRoomFor('feed', error) ??
    new QuiesceError(
      'insufficient-storage',
      `The feed cannot be written to the data directory: ${(error as Error).message}. Nothing was changed.`,
      { cause: error },
    )
  );
}
