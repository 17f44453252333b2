import { expect } from 'chai';
import fc from 'fast-check';
import { ArraySplitter } from '#quiesce/mirror/feed/array-splitter.js';
import { EnvelopeSplitter } from '#quiesce/mirror/feed/envelope-splitter.js';
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
const products = (sink: ItemSink): Splitter => new EnvelopeSplitter(sink, ['data', 'a/b']);
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

describe('the splitter of an array in an object', () => {
  const around = fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.json()), { maxLength: 4 });
  const members = (pairs: readonly (readonly [string, string])[], taken: string): string[] =>
    pairs.filter(([name]) => name !== taken).map(([name, value]) => `${JSON.stringify(name)}:${value}`);

  it('finds each item, whatever is around the array and however the feed is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.json(), { maxLength: 8 }),
        around,
        around,
        around,
        fc.constantFrom('"data"', String.raw`"d\u0061ta"`),
        space,
        cuts,
        (items, before, beside, after, name, gap, places) => {
          const inner = [...members(beside, 'a/b'), `"a/b"${gap}:${gap}[${gap}${items.join(`${gap},${gap}`)}${gap}]`];
          const data = `${name}${gap}:${gap}{${inner.join(`${gap},`)}${gap}}`;
          const outer = [...members(before, 'data'), data, ...members(after, 'data')];
          const text = Buffer.from(`${gap}{${gap}${outer.join(`,${gap}`)}${gap}}${gap}`);
          const seen = collect(products, cut(text, places));
          expect(seen.items).to.deep.equal(items);
          seen.bases.forEach((base, i) =>
            expect(text.toString('utf8', base, base + Buffer.byteLength(items[i]!))).to.equal(items[i]),
          );
        },
      ),
      { numRuns: 2000 },
    );
  });

  for (const [text, message] of Object.entries({
    '': 'it is empty',
    '{': 'it is cut off',
    '{"data":{"a/b":[{"id":1},': 'it is cut off',
    '{"data":{"a/b":[{"id":1}]': 'it is cut off',
    '{"data":{"a/b":[{"id":1}]}': 'it is cut off',
    '{"data":{"a/b":[]}}}': 'behind the end of the object',
    '{"data":{"a/b":[]},}': 'where a name should be',
    '{"data":{"a/b":[]},"x":[1,]}': 'where a value should be',
    '{"data":{"a/b":[]},"x":tru}': 'no value',
    '{"data":{"a/b":[]},"x":01}': 'no value',
    '{"data":{"a/b":[]},"x":"\t"}': 'in a string',
    '{"data":{"a/b":[]},"x":"\\q"}': 'in an escape',
    '{"data":{"a/b":[]} "x":1}': 'where a comma',
    '{"data" {}}': 'where a colon should be',
    '[]': 'as a whole: an object has to be here, and this is an array',
    '7': 'and this is no object',
    '{}': '/data: the feed has no such member',
    '{"data":[]}': '/data: an object has to be here, and this is an array',
    '{"data":{}}': '/data/a~1b: the feed has no such member',
    '{"data":{"x":{"a/b":[]}}}': '/data/a~1b: the feed has no such member',
    '{"data":{"a/b":{}}}': '/data/a~1b: the array of items has to be here, and this is an object',
    '{"data":{"a/b":null}}': '/data/a~1b: the array of items has to be here, and this is null',
    '{"data":{"a/b":[],"a/b":[]}}': '/data/a~1b: a second member of the same name',
    '{"data":{"a/b":[]},"data":{"a/b":[]}}': '/data: a second member of the same name',
  })) {
    it(`refuses ${text || 'nothing'}`, () => {
      for (const places of [[], Array.from({ length: text.length }, (_, i) => i)])
        expect(() => collect(products, cut(Buffer.from(text), places))).to.throw(message);
    });
  }

  it('keeps nothing of what is around the array', () => {
    const splitter = products({ item: () => {}, oversized: () => {}, notAnArray: () => {} });
    const part = Buffer.from(`"${'x'.repeat(1_000_000)}",`);
    const name = Buffer.from(`"${'n'.repeat(1_000_000)}`);
    const { arrayBuffers, heapUsed } = process.memoryUsage();
    splitter.push(Buffer.from('{"more":['));
    for (let i = 0; i < 300; i++) splitter.push(part);
    splitter.push(Buffer.from('0],'));
    for (let i = 0; i < 300; i++) splitter.push(i === 0 ? name : name.subarray(1));
    splitter.push(Buffer.from('":1,"data":{"a/b":[]}}'));
    splitter.end();
    const after = process.memoryUsage();
    expect(after.arrayBuffers + after.heapUsed - arrayBuffers - heapUsed).to.be.below(100_000_000);
  });
});
