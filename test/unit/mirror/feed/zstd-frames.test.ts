import { expect } from 'chai';
import zlib from 'node:zlib';
import { ZstdFrames } from '#quiesce/mirror/feed/zstd-frames.js';

type Compress = (bytes: Buffer, options?: { params?: Record<number, number> }) => Buffer;
const { zstdCompressSync: compress } = zlib as { zstdCompressSync?: Compress };

/** Of the text `[{"id":1}]`, as the zstd tool writes it: with its size and a checksum. */
const frame = Buffer.from('28b52ffd240a5100005b7b226964223a317d5d312ca2f5', 'hex');
const skippable = Buffer.from([0x5f, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);

function walk(bytes: Buffer, step = bytes.length): string | null {
  const frames = new ZstdFrames();
  for (let at = 0; at < bytes.length; at += step) {
    const fault = frames.push(bytes.subarray(at, at + step));
    if (fault !== null) return fault;
  }
  return frames.isWhole ? null : 'cut off';
}

describe('the frames of a zstd file', () => {
  it('are whole, whatever the size of the pieces', () => {
    const bytes = Buffer.concat([skippable, frame, frame, skippable]);
    for (const step of [1, 2, 3, 7, bytes.length]) expect(walk(bytes, step)).to.equal(null);
  });

  it('are cut off at each other length', () => {
    for (let length = 1; length < frame.length; length++) expect(walk(frame.subarray(0, length))).to.equal('cut off');
  });

  it('are followed by something else, or are none, or are too many', () => {
    expect(walk(Buffer.concat([frame, Buffer.from('junk')]))).to.equal('something else follows its end');
    expect(walk(Buffer.from('[{"id":1}]'))).to.equal('it is none');
    expect(walk(Buffer.concat(Array<Buffer>(100_001).fill(frame)))).to.match(/more than 100000 frames/);
  });

  const asWritten = (compress: Compress) => (): void => {
    const { ZSTD_c_checksumFlag, ZSTD_c_contentSizeFlag } = zlib.constants as unknown as Record<string, number>;
    for (const length of [0, 1, 200, 70_000, 400_000]) {
      for (const fill of ['\0', 'the same again and ']) {
        for (const checksum of [0, 1]) {
          const params = { [ZSTD_c_checksumFlag!]: checksum, [ZSTD_c_contentSizeFlag!]: checksum };
          const bytes = compress(Buffer.alloc(length, fill), { params });
          expect(walk(bytes), `${length}`).to.equal(null);
          expect(walk(bytes.subarray(0, -1)), `${length}`).to.equal('cut off');
        }
      }
    }
  };
  if (compress !== undefined) it('are whole as this Node writes them', asWritten(compress));
});
