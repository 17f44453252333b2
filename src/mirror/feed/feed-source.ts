/** The bytes of a feed as they are read from its spool: decoded on the way, counted, and without a byte order mark. */
import { createReadStream } from 'node:fs';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import zlib from 'node:zlib';
import { QuiesceError } from '../../errors.ts';
import type { FeedCoding } from '../../protocol/mirror-job.ts';
import { malformedJson } from './json-text.ts';

const chunkSize = 256 * 1024;
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/** Node has it from 22.15 and 23.8 on. */
type WithZstd = typeof zlib & { createZstdDecompress?: (options: zlib.ZlibOptions) => Duplex };

export interface FeedSource {
  readonly path: string;
  readonly coding: FeedCoding;
  /** Decoded bytes. */
  readonly maxBytes: number;
}

/**
 * Calls `take` with one chunk after the other; resolves with the number of decoded bytes.
 *
 * @throws QuiesceError `payload-too-large`, or `malformed-json` where the coding is broken or cut off
 */
export async function readFeedBytes(
  source: FeedSource,
  take: (chunk: Buffer) => void,
  signal: AbortSignal,
): Promise<number> {
  const { path, coding, maxBytes } = source;
  const decoder = decoderOf(coding);
  let bytes = 0;
  let head: Buffer | null = Buffer.alloc(0);
  const consume = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
    for await (let chunk of chunks) {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        throw new QuiesceError(
          'payload-too-large',
          `The feed is larger than the ${maxBytes} bytes that are allowed (sync.max_bytes)${coding === 'identity' ? '' : ', once decoded'}.`,
        );
      }
      if (head !== null) {
        chunk = Buffer.concat([head, chunk]);
        if (chunk.length < 3) {
          head = chunk;
          continue;
        }
        head = null;
        if (chunk.subarray(0, 3).equals(byteOrderMark)) chunk = chunk.subarray(3);
      }
      take(chunk);
    }
    if (head?.length) take(head);
  };
  let failure: unknown;
  const guarded = (chunks: AsyncIterable<Buffer>): Promise<void> =>
    consume(chunks).catch((error: unknown) => {
      failure = error; // pipeline() may tell of the stream that this broke instead
      throw error;
    });
  try {
    if (decoder === null) await pipeline(createReadStream(path, { highWaterMark: chunkSize }), guarded, { signal });
    else await pipeline(createReadStream(path, { highWaterMark: chunkSize }), decoder, guarded, { signal });
  } catch (first) {
    signal.throwIfAborted();
    const error = failure ?? first;
    if (isCodingError(error)) {
      throw malformedJson(
        `its ${coding} coding is broken or cut off (${error.message}) after ${bytes} decoded bytes`,
        bytes,
      );
    }
    throw error;
  }
  return bytes;
}

function decoderOf(coding: FeedCoding): Duplex | null {
  switch (coding) {
    case 'identity':
      return null;
    case 'gzip':
      return zlib.createGunzip({ chunkSize });
    case 'br':
      return zlib.createBrotliDecompress({ chunkSize });
    case 'zstd': {
      const create = (zlib as WithZstd).createZstdDecompress;
      if (!create)
        throw new QuiesceError(
          'unsupported-media-type',
          'This version of Node cannot read zstd; send the feed as gzip or br.',
        );
      return create({ chunkSize });
    }
  }
}

function isCodingError(error: unknown): error is Error {
  return (
    error instanceof Error && 'code' in error && /^(Z_|ERR_|ZSTD_|BROTLI_)/.test(String(error.code)) && 'errno' in error
  );
}
