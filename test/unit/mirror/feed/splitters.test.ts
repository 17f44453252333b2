import { expect } from 'chai';
import fc from 'fast-check';
import { ArraySplitter } from '#quiesce/mirror/feed/array-splitter.js';
import { LineSplitter } from '#quiesce/mirror/feed/line-splitter.js';
import type { ItemSink, Splitter } from '#quiesce/mirror/feed/splitter.js';

interface Seen {
  readonly items: string[];
  readonly bases: number[];
  oversized: number;
  other: string | null;
}

function collect(make: (sink: ItemSink) => Splitter, chunks: Iterable<Buffer>): Seen {
  const seen: Seen = { items: [], bases: [], oversized: 0, other: null };
  const splitter = make({
    item: (bytes, start, end, base) => {
      seen.items.push(bytes.toString('utf8', start, end));
      seen.bases.push(base + start);
    },
    oversized: () => seen.oversized++,
    notAnArray: (bytes, start, end) => (seen.other = bytes.toString('utf8', start, end)),
  });
  for (const chunk of chunks) splitter.push(chunk);
  splitter.end();
  return seen;
}

const array = (sink: ItemSink): Splitter => new ArraySplitter(sink);
const lines = (sink: ItemSink): Splitter => new LineSplitter(sink);

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

const space = fc.constantFrom('', ' ', '\n\t', '\r\n');
const cuts = fc.array(fc.nat(2000), { maxLength: 30 });

describe('the splitter of an array', () => {
  it('finds each item, however the feed is cut into chunks', () => {
    fc.assert(
      fc.property(fc.array(fc.json(), { maxLength: 8 }), space, cuts, (items, gap, places) => {
        const text = Buffer.from(`${gap}[${gap}${items.join(`${gap},${gap}`)}${gap}]${gap}`);
        const seen = collect(array, cut(text, places));
        expect(seen.items).to.deep.equal(items);
        seen.bases.forEach((base, i) =>
          expect(text.toString('utf8', base, base + Buffer.byteLength(items[i]!))).to.equal(items[i]),
        );
      }),
      { numRuns: 2000 },
    );
  });

  it('finds the end of strings that are full of brackets, quotes and backslashes', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('"', '\\', ']', '}', '[', ',', 'é', 'x')), cuts, (parts, places) => {
        const item = JSON.stringify({ s: parts.join('') });
        expect(collect(array, cut(Buffer.from(`[${item},${item}]`), places)).items).to.deep.equal([item, item]);
      }),
    );
  });

  for (const [text, message] of Object.entries({
    '': 'it is empty',
    ' \n': 'it is empty',
    '[': 'it is cut off',
    '[{"id":1}': 'it is cut off',
    '[{"id":1},': 'it is cut off',
    '[{"id":"1': 'it is cut off',
    '[{"id":1},]': '“]” where an item should be, at byte 10',
    '[,]': '“,” where an item should be, at byte 1',
    '[{} {}]': '“{” where a comma or “]” should be, at byte 4',
    '[]]': '“]” behind the end of the array, at byte 2',
    '[1}]': '“}” where a comma or “]” should be, at byte 2',
  })) {
    it(`takes ${JSON.stringify(text)} for malformed`, () => {
      expect(() => collect(array, [Buffer.from(text)]))
        .to.throw(message)
        .with.property('code', 'malformed-json');
    });
  }

  it('hands over as a whole what is no array', () => {
    expect(collect(array, [Buffer.from(' {"a"'), Buffer.from(':1} ')]).other).to.equal('{"a":1} ');
  });

  it('does not keep an item longer than 64 MiB', () => {
    const mebibyte = Buffer.alloc(1024 * 1024, 'x');
    function* chunks(): Generator<Buffer> {
      yield Buffer.from('[{"id":"');
      for (let i = 0; i < 200; i++) yield mebibyte;
      yield Buffer.from('"},{"id":2}]');
    }
    const before = process.memoryUsage().arrayBuffers;
    let peak = 0;
    function* watched(): Generator<Buffer> {
      for (const chunk of chunks()) {
        peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
        yield chunk;
      }
    }
    const seen = collect(array, watched());
    expect(seen).to.deep.include({ oversized: 1, items: ['{"id":2}'] });
    expect(peak).to.be.lessThan(150 * 1024 * 1024);
  });
});

describe('the splitter of lines', () => {
  it('finds each line that is not blank, however the feed is cut into chunks', () => {
    fc.assert(
      fc.property(
        fc.array(fc.json(), { minLength: 1, maxLength: 8 }),
        fc.constantFrom('\n', '\r\n', '\n \n\n'),
        fc.boolean(),
        cuts,
        (items, newline, last, places) => {
          const text = Buffer.from(items.join(newline) + (last ? newline : ''));
          expect(collect(lines, cut(text, places)).items.map((item) => item.trim())).to.deep.equal(
            items.map((item) => item.trim()),
          );
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('takes no lines at all for a feed that is missing, not for an empty one', () => {
    expect(() => collect(lines, [Buffer.from('\n \n')])).to.throw('it is empty');
  });
});
