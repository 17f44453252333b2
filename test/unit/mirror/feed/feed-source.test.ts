import { expect } from 'chai';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import zlib from 'node:zlib';
import { readFeedBytes } from '#quiesce/mirror/feed/feed-source.js';
import type { FeedCoding } from '#quiesce/protocol/workers/mirror-job.js';
import { scratchFolders } from '../../scratch.ts';

const half = Buffer.from('[{"id":1},');
const rest = Buffer.from('{"id":2}]');
const whole = Buffer.concat([half, rest]);
/** More than one read of the file, so that an end can lie between two. */
const long = Buffer.from(JSON.stringify(Array.from({ length: 60_000 }, (_, id) => ({ id, s: Math.random() }))));

const { zstdCompressSync: zstd } = zlib as { zstdCompressSync?: (bytes: Buffer) => Buffer };
const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
const brotli = (bytes: Buffer): Buffer =>
  zlib.brotliCompressSync(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } });
const joined = (...parts: (Buffer | string)[]): Buffer => Buffer.concat(parts.map((part) => Buffer.from(part)));

describe('the bytes of a feed', function () {
  this.timeout(20_000);
  const scratch = scratchFolders();

  async function read(coding: FeedCoding, spooled: Buffer): Promise<Buffer> {
    const path = join(scratch(), 'feed');
    await writeFile(path, spooled);
    const chunks: Buffer[] = [];
    const take = (chunk: Buffer): void => void chunks.push(Buffer.from(chunk));
    const bytes = await readFeedBytes({ path, coding, maxBytes: 2 ** 31 }, take, new AbortController().signal);
    const text = Buffer.concat(chunks);
    expect(bytes).to.equal(text.length);
    return text;
  }

  async function refused(coding: FeedCoding, spooled: Buffer): Promise<string> {
    try {
      await read(coding, spooled);
    } catch (error) {
      expect((error as { code?: string }).code).to.equal('malformed-json', (error as Error).message);
      return (error as Error).message;
    }
    throw new Error('it was taken');
  }

  const taken: Record<string, [FeedCoding, Buffer, Buffer]> = {
    'gzip in several members': ['gzip', joined(zlib.gzipSync(half), zlib.gzipSync(rest)), whole],
    'gzip with an empty member': ['gzip', joined(zlib.gzipSync(whole), zlib.gzipSync('')), whole],
    'gzip that zero bytes fill up': ['gzip', joined(zlib.gzipSync(whole), Buffer.alloc(13)), whole],
    'gzip that a megabyte of zero bytes fills up': ['gzip', joined(zlib.gzipSync(long), Buffer.alloc(1 << 20)), long],
    'gzip in several members that are long': [
      'gzip',
      joined(...Array(3).fill(zlib.gzipSync(long))),
      joined(long, long, long),
    ],
    brotli: ['br', brotli(long), long],
    ...(zstd && {
      zstd: ['zstd', zstd(long), long],
      'zstd in several frames': ['zstd', joined(zstd(half), zstd(rest)), whole],
      'zstd in several frames that are long': ['zstd', joined(zstd(long), zstd(long)), joined(long, long)],
      'zstd with frames to be skipped': ['zstd', joined(skippable, zstd(whole), skippable), whole],
    }),
  };
  for (const [what, [coding, spooled, expected]] of Object.entries(taken)) {
    it(`are read from ${what}`, async () => {
      expect((await read(coding, spooled)).equals(expected)).to.equal(true);
    });
  }

  const compressed: Partial<Record<FeedCoding, (bytes: Buffer) => Buffer>> = {
    gzip: zlib.gzipSync,
    br: brotli,
    ...(zstd && { zstd }),
  };
  for (const [name, compress] of Object.entries(compressed)) {
    const coding = name as FeedCoding;
    for (const [size, text] of Object.entries({ short: whole, long })) {
      it(`are refused where something else follows ${size} ${coding}`, async () => {
        for (const tail of ['x', '\u001f', 'junk', '[{"id":3}]', Buffer.alloc(600_000, 'x')])
          await refused(coding, joined(compress(text), tail));
        if (coding !== 'gzip') await refused(coding, joined(compress(text), Buffer.alloc(13)));
        else await refused(coding, joined(compress(text), Buffer.alloc(13), compress(text)));
      });

      it(`are refused where ${size} ${coding} is cut off, or is none`, async () => {
        const bytes = compress(text);
        for (const length of [1, bytes.length >> 1, bytes.length - 1]) await refused(coding, bytes.subarray(0, length));
        await refused(coding, text);
      });
    }
  }

  it('are no longer read once the run is cancelled', async () => {
    for (const [coding, compress] of [['identity', (bytes: Buffer) => bytes], ...Object.entries(compressed)] as const) {
      const path = join(scratch(), 'feed');
      await writeFile(path, compress(long));
      const cancel = new AbortController();
      const reason = new Error('cancelled');
      let chunks = 0;
      const take = (): void => {
        if (++chunks === 1) cancel.abort(reason);
      };
      const outcome = await readFeedBytes(
        { path, coding: coding as FeedCoding, maxBytes: 2 ** 31 },
        take,
        cancel.signal,
      ).catch((error: unknown) => error);
      expect(outcome).to.equal(reason);
      expect(chunks).to.be.lessThan(4);
    }
  });

  it('are refused where the file of the spool is gone, whatever the coding', async () => {
    for (const coding of ['identity', ...Object.keys(compressed)] as FeedCoding[]) {
      const signal = new AbortController().signal;
      const outcome = await readFeedBytes(
        { path: join(scratch(), 'gone'), coding, maxBytes: 1 },
        () => {},
        signal,
      ).catch((error: unknown) => error);
      expect((outcome as { code?: string }).code).to.equal('ENOENT');
    }
  });
});
