import { expect } from 'chai';
import fc from 'fast-check';
import { BSON } from 'mongodb';
import { Elements } from '#quiesce/mirror/bson/elements.js';
import { equalDocuments } from '#quiesce/mirror/bson/equal.js';
import { documentToJson, valueToJson } from '#quiesce/mirror/bson/to-json.js';
import { ItemEncoder } from '#quiesce/mirror/feed/item-encoder.js';

const encoder = new ItemEncoder({ key: 'id', extendedJson: true });

/** The document of `{"id":1,"x":<text>}`, or where and why it is refused. */
function encode(text: string): Buffer | string {
  const bytes = Buffer.from(`{"id":1,"x":${text}}`);
  if (!encoder.encode(bytes, 0, bytes.length, 0)) return `${encoder.pointer}: ${encoder.detail}`;
  return Buffer.from(encoder.document.bytes.subarray(0, encoder.document.at));
}

function expectValue(text: string, value: unknown): void {
  const encoded = encode(text);
  expect(typeof encoded === 'string' ? encoded : encoded.toString('hex'), text).to.equal(
    Buffer.from(BSON.serialize({ _id: 1, x: value }, { ignoreUndefined: false })).toString('hex'),
  );
}

const { Binary, BSONRegExp, BSONSymbol, Code, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp } =
  BSON;
const hex = (length: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Buffer.from(bytes).toString('hex'));
const typed = fc.oneof(
  fc.integer().map((value) => new Int32(value)),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => Long.fromBigInt(value)),
  fc.double().map((value) => new Double(value)),
  fc.double().map((value) => Decimal128.fromString(String(value))),
  hex(12).map((text) => new ObjectId(text)),
  fc.date({ noInvalidDate: true }),
  fc
    .tuple(fc.uint8Array(), fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 8, 128, 255))
    .map(([bytes, subType]) => new Binary(bytes, subType)),
  fc.tuple(fc.nat(), fc.nat()).map(([t, i]) => new Timestamp({ t, i })),
  fc
    .tuple(fc.string({ unit: 'grapheme' }), fc.subarray(['i', 'm', 's', 'u', 'x']))
    .filter(([pattern]) => !pattern.includes('\0'))
    .map(([pattern, options]) => new BSONRegExp(pattern, options.toReversed().join(''))),
  fc.string({ unit: 'grapheme' }).map((text) => new BSONSymbol(text)),
  fc.string({ unit: 'grapheme' }).map((text) => new Code(text)),
  fc.string({ unit: 'grapheme' }).map((text) => new Code(text, { a: new Int32(1), at: new Date(5) })),
  fc.constantFrom(new MinKey(), new MaxKey(), null, true, 'text'),
);

describe('Extended JSON', function () {
  this.timeout(20_000);

  it('becomes the value that was written as it, whatever its type', () => {
    fc.assert(
      fc.property(typed, fc.boolean(), (value, nested) => {
        const document = nested ? { a: [value, { b: value }] } : value;
        expectValue(BSON.EJSON.stringify(document, { relaxed: false }), document);
      }),
      { numRuns: 2000 },
    );
  });

  it('is what a stored value is shown as, which leads back to it', () => {
    fc.assert(
      fc.property(typed, (value) => {
        const stored = BSON.serialize({ _id: 1, x: [value, { y: value }] });
        const x = new Elements(stored, 0);
        while (x.next() && stored[x.name] !== 0x78);
        const again = encode(valueToJson(stored, x.type, x.value, x.end, true));
        expect(again).to.be.instanceOf(Buffer);
        expect(equalDocuments(stored, 0, again as Buffer, 0, true), x.bytes.toString()).to.equal(true);
      }),
      { numRuns: 1000 },
    );
    for (const shown of [
      '{"$date":"2020-01-01T00:00:00Z"}',
      '{"$date":{"$numberLong":"-1"}}',
      '{"$binary":{"base64":"//8=","subType":"02"}}',
      '{"$dbPointer":{"$ref":"a","$id":{"$oid":"64b7f0c2a1b2c3d4e5f60718"}}}',
      '{"$undefined":true}',
    ]) {
      const document = encode(shown) as Buffer;
      expect(documentToJson(document, 0)).to.equal(`{"_id":1,"x":${shown}}`);
    }
  });

  it('takes what older tools and other drivers write', () => {
    expectValue('{"$date":1600000000000}', new Date(1_600_000_000_000));
    expectValue('{"$date":"2020-02-29T23:59:59.120+0100"}', new Date('2020-02-29T22:59:59.120Z'));
    expectValue('{"$date":"0001-01-01t00:00:00z"}', new Date('0001-01-01T00:00:00Z'));
    expectValue('{"$date":"2020-01-01T00:00:00.123000000Z"}', new Date('2020-01-01T00:00:00.123Z'));
    expectValue('{"$regex":"^a","$options":"xi"}', new BSONRegExp('^a', 'ix'));
    expectValue(
      '{"$uuid":"00112233-4455-6677-8899-aabbccddeeff"}',
      new BSON.UUID('00112233-4455-6677-8899-aabbccddeeff'),
    );
    expectValue('{"$binary":{"subType":"5","base64":""}}', new Binary(Buffer.alloc(0), 5));
    const undefinedElement = '06780000'; // the driver has none: it writes null in its place
    expect((encode('{"$undefined":true}') as Buffer).toString('hex')).to.match(new RegExp(`${undefinedElement}$`));
    expectValue('{"$code":"f","$scope":{"$numberInt":"1"}}'.replace('{"$numberInt":"1"}', '{}'), new Code('f', {}));
  });

  it('gives numbers the type that they are written in', () => {
    expectValue('7', new Int32(7));
    expectValue('2147483648', Long.fromNumber(2 ** 31));
    expectValue('9007199254740993', Long.fromString('9007199254740993'));
    expectValue('-9223372036854775808', Long.MIN_VALUE);
    expectValue('1.0', new Double(1));
    expectValue('1e3', new Double(1000));
    expectValue('-0', new Double(-0));
    expectValue('123456789012345680000', new Double(123456789012345680000));
    expect(encode('12345678901234567890123')).to.match(/^\/x: .*would lose precision/);
    expect(encode('1e999')).to.match(/^\/x: .*larger than a double/);
  });

  it('leaves alone what is none: conditions of a query, references, the names of JavaScript', () => {
    const id = new ObjectId();
    expectValue('{"$gt":1,"$foo":{"$bar":2}}', { $gt: 1, $foo: { $bar: 2 } });
    expectValue('{"$regex":"^a"}', { $regex: '^a' });
    expectValue('{"$regex":"^a","$options":"i","$eq":1}', { $regex: '^a', $options: 'i', $eq: 1 });
    expectValue(`{"$ref":"a","$id":{"$oid":"${id.toHexString()}"},"$db":"b"}`, { $ref: 'a', $id: id, $db: 'b' });
    expectValue('{"b":1,"constructor":2,"$constructor":3,"a.b":4}', {
      b: 1,
      constructor: 2,
      $constructor: 3,
      'a.b': 4,
    });
    for (const order of ['{"z":1,"10":2,"2":3}', '{"_bsontype":"ObjectId","id":"x"}', '{"__proto__":1,"a":2}'])
      expect(encode(order), order).to.be.instanceOf(Buffer);
  });

  const refusals: Record<string, string[]> = {
    $numberInt: [
      '"abc"',
      '"42.7"',
      '"2147483648"',
      '"-2147483649"',
      '""',
      '"+1"',
      '" 1"',
      '"1e3"',
      '"0x10"',
      '42',
      'null',
    ],
    $numberLong: ['"9223372036854775808"', '"1.0"', '"abc"', '5', `"${'1'.repeat(1000)}"`],
    $numberDouble: ['"abc"', '"1e999"', '""', '"."', '"1e"', '"infinity"', '"Infinity "', '"0x1p3"', '1.5', 'true'],
    $numberDecimal: ['"abc"', '""', '"1e99999"', `"${'1'.repeat(35)}"`, `"${'0'.repeat(3000)}1"`, '1.5'],
    $oid: ['"abc"', '"64b7f0c2a1b2c3d4e5f6071g"', '"64b7f0c2a1b2c3d4e5f6071800"', '5', '{"a":1}'],
    $uuid: ['"00112233445566778899aabbccddeeff"', '"nonsense"', '7'],
    $binary: [
      '{"base64":"AAA","subType":"00"}',
      '{"base64":"A*==","subType":"00"}',
      '{"base64":"AAAA ","subType":"00"}',
      '{"base64":"AB==","subType":"00"}',
      '{"base64":"_-8=","subType":"00"}',
      '{"base64":"AAAA","subType":"100"}',
      '{"base64":"AAAA","subType":"x"}',
      '{"base64":"AAAA","subType":0}',
      '{"base64":"AAAA"}',
      '{"base64":"AAAA","subType":"00","more":1}',
      '{"base64":"AAAA","subType":"07"}',
      '"AAAA"',
    ],
    $date: [
      '"nonsense"',
      '"2020-01-01T00:00:00"',
      '"2020-01-01"',
      '"2021-02-29T00:00:00Z"',
      '"2020-13-01T00:00:00Z"',
      '"2020-01-01T24:00:00Z"',
      '"2020-01-01T00:00:60Z"',
      '"2020-01-01T00:00:00.0001Z"',
      '"2020-01-01T00:00:00+24:00"',
      '"Wed, 01 Jan 2020 00:00:00 GMT"',
      '1.5',
      'null',
      '{"$numberDouble":"NaN"}',
      '{"$numberDecimal":"1"}',
    ],
    $timestamp: ['{"t":1}', '{"t":-1,"i":0}', '{"t":4294967296,"i":0}', '{"t":1.5,"i":0}', '{"t":1,"i":0,"x":1}', '5'],
    $regularExpression: [
      '{"pattern":"a"}',
      '{"pattern":"a","options":"g"}',
      '{"pattern":"a","options":"ii"}',
      '{"pattern":"\\u0000","options":""}',
      '{"pattern":1,"options":""}',
      '"a"',
    ],
    $symbol: ['1'],
    $code: ['1'],
    $dbPointer: ['{"$ref":"a","$id":"b"}', '"a"', '{"$ref":1,"$id":{"$oid":"64b7f0c2a1b2c3d4e5f60718"}}'],
    $minKey: ['2', '"1"', 'true'],
    $maxKey: ['0', 'null'],
    $undefined: ['false', '1'],
  };
  for (const [name, values] of Object.entries(refusals)) {
    it(`is refused where ${name} stands for no value exactly, and the pointer leads there`, () => {
      for (const value of values) {
        const why = encode(`[0,{"y":{"${name}":${value}}}]`);
        expect(why, value).to.match(/^\/x\/1\/y(\/[$\w]+)*: no valid Extended JSON: \$/);
      }
    });
  }

  it('is refused where members stand beside the type, before or behind it', () => {
    for (const text of [
      '{"$date":"2020-01-01T00:00:00Z","precise":true}',
      '{"a":1,"b":2,"c":3,"d":4,"e":5,"$date":"2020-01-01T00:00:00Z"}',
      '{"$oid":"64b7f0c2a1b2c3d4e5f60718","$date":1}',
      '{"$code":"f","$scope":{},"x":1}',
      '{"$numberInt":"1","":2}',
    ])
      expect(encode(text), text).to.match(/^\/x: no valid Extended JSON: \$\w+ has other members beside it/);
    expect(encode('{"$code":"f","$scope":5}')).to.match(/^\/x: .*\$code is no string with a document/);
  });

  it('may stand at the deepest level of a document, and not below it', () => {
    const nested = (levels: number, inner: string): string => `${'['.repeat(levels)}${inner}${']'.repeat(levels)}`;
    expect(encode(nested(179, '{"$date":{"$numberLong":"5"}}'))).to.be.instanceOf(Buffer);
    expect(encode(nested(179, '{"a":5}'))).to.match(/deeper than the 180 levels/);
    expect(encode(nested(180, '{"$numberLong":"5"}'))).to.match(/deeper than the 180 levels/);
  });
});
