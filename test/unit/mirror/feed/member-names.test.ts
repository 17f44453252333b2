/** A second member of the same name is found, whatever object came before. */
import { expect } from 'chai';
import fc from 'fast-check';
import { BsonOutput } from '#quiesce/mirror/bson/output.js';
import { JsonText } from '#quiesce/mirror/feed/json-text.js';
import { JsonToBson } from '#quiesce/mirror/feed/json-to-bson.js';

/** Many objects begin as a former one and leave some of its members out. */
const names = fc
  .record({
    from: fc.constantFrom(0, 0, 0, 7),
    count: fc.constantFrom(3, 25, 60),
    out: fc.array(fc.nat(60), { maxLength: 5 }),
    twice: fc.option(fc.tuple(fc.nat(60), fc.nat(60))),
  })
  .map(({ from, count, out, twice }) => {
    const all = Array.from({ length: count }, (_, i) => `m${from + i}`).filter((_, i) => !out.includes(i));
    if (twice) all.splice(twice[0] % (all.length + 1), 0, all[twice[1] % all.length] ?? 'm');
    return all;
  });

describe('the names of an object', () => {
  it('are checked for a second one, also where they follow those of the object before', () => {
    const property = fc.property(fc.array(names, { minLength: 1, maxLength: 12 }), (objects) => {
      const converter = new JsonToBson(new BsonOutput(), false);
      for (const object of objects) {
        const text = new JsonText();
        text.bytes = Buffer.from(`{"nested":{${object.map((name) => `"${name}":1`).join(',')}}}`);
        text.end = text.bytes.length;
        const isDouble = new Set(object).size < object.length;
        const convert = (): number => converter.convert(text);
        if (isDouble) expect(convert).to.throw();
        else convert();
        expect(text.refusal).to.equal(isDouble ? 'a second member of the same name' : '');
      }
    });
    fc.assert(property, { numRuns: 200 });
  });
});
