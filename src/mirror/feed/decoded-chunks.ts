/**
 * Reads a spool file and removes its content coding. After the end of a compressed stream it accepts the same data as
 * the coding's own tool: for gzip more members (RFC 1952, section 2.2) and zero bytes that fill a block, for zstd more
 * frames (RFC 8878, section 3), for brotli nothing. Node does not report such data as left over.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { addAbortSignal } from 'node:stream';
import zlib from 'node:zlib';
import { QuiesceError } from '../../errors.ts';
import type { FeedCoding } from '../../protocol/workers/mirror-job.ts';
import { ZstdFrames } from './zstd-frames.ts';

const chunkSize = 256 * 1024;

/** Node has `createZstdDecompress` since 22.15 and 23.8. */
type WithZstd = typeof zlib & { createZstdDecompress?: (options: zlib.ZlibOptions) => zlib.Gunzip };

/** The bytes do not match their content coding. */
export class CodingError extends Error {}

/** @throws CodingError if the coding is broken, cut off, or followed by other data */
export async function* decodedChunks(path: string, coding: FeedCoding, signal: AbortSignal): AsyncGenerator<Buffer> {
  if (coding === 'identity') {
    yield* addAbortSignal(signal, createReadStream(path, { highWaterMark: chunkSize })) as AsyncIterable<Buffer>;
    return;
  }
  const { size } = await stat(path);
  if (coding === 'zstd') await checkFrames(path, signal);
  let at = 0;
  do {
    const taken = yield* decodedStream(path, at, decoderOf(coding), signal);
    if (taken === 0 && size > 0) throw new CodingError('it does not begin');
    at += taken;
    if (coding === 'gzip' && (await isZeroFrom(path, at, signal))) return;
    // In every version of Node, one decoder reads all members of a gzip file; only some read all frames of a zstd file.
    if (coding !== 'zstd' && at < size) throw new CodingError(`${size - at} bytes follow its end`);
  } while (at < size);
}

/** Decodes one stream that starts at `start`; returns how many bytes of the file it used. */
async function* decodedStream(
  path: string,
  start: number,
  decoder: zlib.Gunzip,
  signal: AbortSignal,
): AsyncGenerator<Buffer, number> {
  const input = createReadStream(path, { start, highWaterMark: chunkSize });
  input.once('error', (error) => decoder.destroy(error));
  decoder.on('error', () => {}); // the reader below gets it; without a listener, pipe() throws it again
  input.pipe(addAbortSignal(signal, decoder));
  try {
    yield* decoder as AsyncIterable<Buffer>;
    return decoder.bytesWritten;
  } catch (error) {
    throw isCodingError(error) ? new CodingError(error.message, { cause: error }) : error;
  } finally {
    input.destroy();
    decoder.destroy();
  }
}

async function checkFrames(path: string, signal: AbortSignal): Promise<void> {
  const frames = new ZstdFrames();
  for await (const chunk of addAbortSignal(signal, createReadStream(path, { highWaterMark: chunkSize }))) {
    const fault = frames.push(chunk as Buffer);
    if (fault !== null) throw new CodingError(fault);
  }
  if (!frames.isWhole) throw new CodingError('its last frame does not end');
}

async function isZeroFrom(path: string, start: number, signal: AbortSignal): Promise<boolean> {
  const rest = createReadStream(path, { start, highWaterMark: chunkSize });
  for await (const chunk of addAbortSignal(signal, rest) as AsyncIterable<Buffer>) {
    if (chunk.some((byte) => byte !== 0)) return false;
  }
  return true;
}

function decoderOf(coding: Exclude<FeedCoding, 'identity'>): zlib.Gunzip {
  switch (coding) {
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
