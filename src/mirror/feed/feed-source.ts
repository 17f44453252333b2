/** Reads a feed from its spool file: decodes and counts its bytes, and removes a byte order mark. */
import { QuiesceError } from '../../errors.ts';
import type { FeedCoding } from '../../protocol/workers/mirror-job.ts';
import { CodingError, decodedChunks } from './decoded-chunks.ts';
import { malformedJson } from './json-text.ts';

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

export interface FeedSource {
  readonly path: string;
  readonly coding: FeedCoding;
  /** The largest number of decoded bytes. */
  readonly maxBytes: number;
}

/**
 * Calls `take` with one chunk after another, and waits for its promise if it returns one. Resolves with the number of
 * decoded bytes.
 *
 * @throws QuiesceError `payload-too-large`, or `malformed-json` if the coding is broken or cut off
 */
export async function readFeedBytes(
  source: FeedSource,
  take: (chunk: Buffer) => void | Promise<void>,
  signal: AbortSignal,
): Promise<number> {
  const { path, coding, maxBytes } = source;
  let bytes = 0;
  let head: Buffer | null = Buffer.alloc(0);
  try {
    for await (let chunk of decodedChunks(path, coding, signal)) {
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
      const taken = take(chunk);
      if (taken !== undefined) await taken;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CodingError) {
      throw malformedJson(
        `its ${coding} coding is broken or cut off (${error.message}) after ${bytes} decoded bytes`,
        bytes,
      );
    }
    throw error;
  }
  if (head?.length) await take(head);
  return bytes;
}
