import { expect } from 'chai';
import fc from 'fast-check';
import { BSON } from 'mongodb';
import { Elements } from '#quiesce/mirror/bson/elements.js';
import { ItemEncoder, type EncoderOptions } from '#quiesce/mirror/feed/item-encoder.js';

function encode(text: string | Buffer, options: Partial<EncoderOptions> = {}): Buffer {
  const encoder = new ItemEncoder({ key: 'id', extendedJson: false, ...options });
  const bytes = Buffer.from(text);
  if (!encoder.encode(bytes, 0, bytes.length, 0)) throw new Error(`${encoder.pointer || '-'}: ${encoder.detail}`);
  return Buffer.from(encoder.document.bytes.subarray(0, encoder.document.at));
}

function decode(bytes: Buffer): BSON.Document {
  return BSON.deserialize(bytes);
}

const wellFormed = fc.string({ unit: 'grapheme', maxLength: 8 });
const names = fc.oneof(wellFormed, fc.constantFrom('__proto__', 'a.b', '$x', '', 'constructor', '0', '10', 'é'));
const json = fc.letrec<{ value: unknown; object: object }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer(),
      fc.constantFrom(
        0,
        -0,
        2 ** 31,
        -(2 ** 31),
        2 ** 31 - 1,
        2 ** 53,
        1e21,
        5e-324,
        1.7976931348623157e308,
        true,
        false,
        null,
      ),
    ),
    fc.array(tie('value'), { maxLength: 12 }),
    tie('object'),
  ),
  object: fc
    .uniqueArray(fc.tuple(names, tie('value')), { selector: ([name]) => name, maxLength: 40 })
    .map((members) => {
      const object: object = {};
      for (const [name, value] of members)
        Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
      return object;
    }),
})).object;

describe('an item', function () {
  this.timeout(60_000);

  it('becomes the bytes that the driver would make of it', () => {
    fc.assert(
      fc.property(json, fc.constantFrom(undefined, 1, '\t'), (object, indent) => {
        const text = JSON.stringify({ id: 1, item: object }, null, indent);
        expect(encode(text).equals(BSON.serialize({ _id: 1, item: JSON.parse(text).item }))).to.equal(true, text);
      }),
      { numRuns: 500 },
    );
  });

  it('becomes the same bytes whichever of its characters are escaped', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        const escaped = Array.from(
          { length: value.length },
          (_, i) => `\\u${value.charCodeAt(i).toString(16).padStart(4, '0')}`,
        ).join('');
        expect(encode(`{"id":1,"s":"${escaped}"}`).equals(BSON.serialize({ _id: 1, s: value }))).to.equal(true);
      }),
    );
  });

  it('is refused as malformed exactly where JSON.parse refuses it', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '"a"',
      '"\\n"',
      '\\',
      '0',
      '01',
      '-',
      '-1',
      '1.',
      '.5',
      '1e',
      '1e5',
      'true',
      'nul',
      'null',
      ' ',
      '\n',
      '\u00a0',
      '\u0001',
      '/',
      'NaN',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const text = `{"id":1,"x":${parts.join('')}}`;
        let ours: unknown = null;
        try {
          encode(text);
        } catch (error) {
          ours = error;
        }
        let theirs = false;
        try {
          JSON.parse(text);
        } catch {
          theirs = true;
        }
        const malformed = (ours as { code?: string } | null)?.code === 'malformed-json';
        // A fault that is found first ends the reading: what follows it may be anything.
        if (ours === null || malformed) expect(malformed).to.equal(theirs, text);
      }),
      { numRuns: 5000 },
    );
  });

  it('keeps the order of its members, those like integers too, behind the key', () => {
    const document = encode('{"b":1,"10":2,"id":"k","a":3,"__proto__":4}');
    const order: string[] = [];
    const elements = new Elements(document, 0);
    while (elements.next()) order.push(document.toString('utf8', elements.name, elements.nameEnd));
    expect(order).to.deep.equal(['_id', 'b', '10', 'a', '__proto__']);
  });

  it('is as precise as its sender was', () => {
    expect(decode(encode('{"id":9007199254740993}'))['_id'].toString()).to.equal('9007199254740993');
    expect(decode(encode('{"id":-9223372036854775807}'))['_id'].toString()).to.equal('-9223372036854775807');
    expect(decode(encode('{"id":123456789012345680000}'))['_id']).to.equal(123456789012345680000);
    expect(decode(encode('{"id":1.0}'))['_id']).to.equal(1);
    expect(Object.is(decode(encode('{"id":1,"z":-0}'))['z'], -0)).to.equal(true);
    expect(() => encode('{"id":12345678901234567890123}')).to.throw('would lose precision');
    expect(() => encode('{"id":9223372036854775808001}')).to.throw('would lose precision');
    expect(() => encode('{"id":1e999}')).to.throw('larger than a double');
    expect(decode(encode('{"id":9007199254740993}', { extendedJson: true }))['_id'].toString()).to.equal(
      '9007199254740993',
    );
  });

  it('is refused where MongoDB could not store it as it is', () => {
    const refusals: Record<string, string> = {
      '{"x":1}': '-: the key “id” is missing',
      '{"id":null}': '/id: the key is null',
      '{"id":[1]}': '/id: the key is an array',
      '{"id":{"a":[{"$x":1}]}}': '/id: the key is an object with a member that starts with “$”',
      '{"id":1,"_id":2}': '/_id: the key “id” is stored as “_id”',
      '{"id":1,"a":{"b":1,"b":2}}': '/a/b: a second member of the same name',
      '{"id":1,"a":{"x/y~":["\\ud800"]}}': '/a/x~1y~0/0: half a surrogate pair',
      '{"id":1,"\\u0000":2}': '/\0: a name with a NUL',
      '[1]': '-: an item has to be an object, and this is an array',
      '"x"': '-: an item has to be an object, and this is a string',
    };
    for (const [text, message] of Object.entries(refusals)) expect(() => encode(text), text).to.throw(message);
    expect(decode(encode('{"id":{"a.b":1}}'))).to.deep.equal({ _id: { 'a.b': 1 } });
    expect(decode(encode('{"id":"","s":"\\u0000"}'))).to.deep.equal({ _id: '', s: '\0' });
  });

  it('may have 180 levels and 16 MiB, and not one more', () => {
    const nested = (levels: number): string => `{"id":1,"x":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
    expect(encode(nested(180))).to.be.instanceOf(Buffer);
    expect(() => encode(nested(181))).to.throw('nested deeper than the 180 levels');
    expect(() => encode(nested(100_000))).to.throw('nested deeper than the 180 levels');
    const frame = BSON.serialize({ _id: 1, s: '' }).length;
    const sized = (bytes: number): string => `{"id":1,"s":"${'x'.repeat(bytes - frame)}"}`;
    expect(encode(sized(16 * 1024 * 1024)).length).to.equal(16 * 1024 * 1024);
    expect(() => encode(sized(16 * 1024 * 1024 + 1))).to.throw('larger than the 16 MiB');
    expect(() => encode(`{"id":1,"a":[${'{},'.repeat(5_000_000)}{}]}`)).to.throw('larger than the 16 MiB');
  });

  it('with a million names takes each of them once', () => {
    const members = Array.from({ length: 300_000 }, (_, i) => `"n${i}":0`);
    expect(encode(`{"id":1,${members.join(',')}}`).length).to.be.greaterThan(300_000);
    expect(() => encode(`{"id":1,${members.join(',')},"n7":0}`)).to.throw('/n7: a second member');
  });

  it('may have a key that is a path or several members, and loses the members that are kept', () => {
    const text = '{"a":{"b":1,"c":2},"d":"x","e":true,"$f":0}';
    const decoded = (options: Partial<EncoderOptions>): object => decode(encode(text, options));
    expect(decoded({ key: 'a.b' })).to.deep.equal({ _id: 1, a: { b: 1, c: 2 }, d: 'x', e: true, $f: 0 });
    expect(decoded({ key: ['d'], keep: ['e', 'other'] })).to.deep.equal({ _id: 'x', a: { b: 1, c: 2 }, $f: 0 });
    expect(decoded({ key: ['d', 'a.b'], keep: ['e'], scope: { t: 1 } })).to.deep.equal({
      _id: { d: 'x', 'a.b': 1 },
      a: { b: 1, c: 2 },
      d: 'x',
      $f: 0,
      t: 1,
    });
    expect(() => encode(text, { key: 'a.x' })).to.throw('-: the key “a.x” is missing');
    expect(() => encode(text, { key: 'd.x' })).to.throw('-: the key “d.x” is missing');
    expect(() => encode('{"a":{"b":[]}}', { key: 'a.b' })).to.throw('/a/b: the key is an array');
    expect(() => encode('{"a":{"b":1},"_id":1}', { key: 'a.b' })).to.throw('/_id: the key is stored as “_id”');
  });

  it('gets the members of the scope, or has them already', () => {
    const scope = { tenant: 'a', live: true };
    expect(decode(encode('{"id":1,"x":2}', { scope }))).to.deep.equal({ _id: 1, x: 2, tenant: 'a', live: true });
    expect(decode(encode('{"tenant":"a","id":1}', { scope }))).to.deep.equal({ _id: 1, tenant: 'a', live: true });
    expect(() => encode('{"id":1,"tenant":"b"}', { scope })).to.throw('/tenant: the item lies outside the scope');
    expect(() => encode('{"id":1}', { scope: { a: { $gt: 1 } } })).to.throw('“a” is none');
  });

  it('is read as Extended JSON only where that is asked for', () => {
    const text =
      '{"id":{"$oid":"64b7f0c2a1b2c3d4e5f60718"},"at":{"$date":"2020-01-01T00:00:00Z"},"n":{"$numberLong":"5"},"d":{"$numberDecimal":"1.50"}}';
    const item = decode(encode(text, { extendedJson: true }));
    expect(item['_id']).to.be.instanceOf(BSON.ObjectId);
    expect(item['at']).to.deep.equal(new Date('2020-01-01T00:00:00Z'));
    expect(item['d']).to.be.instanceOf(BSON.Decimal128);
    expect(() => encode(text)).to.throw('/id: the key is an object with a member that starts with “$”');
  });

  it('of bytes that are no UTF-8 is malformed', () => {
    expect(() => encode(Buffer.from([...Buffer.from('{"id":"'), 0xff, ...Buffer.from('"}')])))
      .to.throw('no UTF-8')
      .with.property('code', 'malformed-json');
  });
});
