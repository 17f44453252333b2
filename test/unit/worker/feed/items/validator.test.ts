import { expect } from 'chai';
import { z } from 'zod';
import { validatorOf } from '#quiesce/worker/feed/items/validator.js';

describe('what validate may be', () => {
  const item = { id: 'a', price: -1, 'a/b': { c: [1, 'x'] } };

  it('is a function that returns nothing, a boolean, a text or a list of faults, or a promise of these', async () => {
    const cases: [result: unknown, faults: object[]][] = [
      [undefined, []],
      [true, []],
      [false, [{ pointer: '', detail: 'it is not valid' }]],
      ['too old', [{ pointer: '', detail: 'too old' }]],
      [
        [{ pointer: '/price', detail: 'below 0' }, 'odd'],
        [
          { pointer: '/price', detail: 'below 0' },
          { pointer: '', detail: 'odd' },
        ],
      ],
      [Promise.resolve('later'), [{ pointer: '', detail: 'later' }]],
    ];
    for (const [result, faults] of cases) expect(await (await validatorOf(() => result))(item)).to.deep.equal(faults);
    const wrong = await validatorOf(() => 7);
    expect(() => wrong(item)).to.throw('validate returned number');
  });

  it('is a Standard Schema, such as one of zod, synchronous or not', async () => {
    const schema = z.object({ price: z.number().nonnegative(), 'a/b': z.object({ c: z.array(z.number()) }) });
    const faults = await (await validatorOf(schema))(item);
    expect(faults.map(({ pointer }) => pointer)).to.deep.equal(['/price', '/a~1b/c/1']);
    expect(faults[0]?.detail).to.match(/>=0/);
    const slow = z.object({ id: z.string().refine(async (id) => id === 'b', 'not b') });
    expect(await (await validatorOf(slow))(item)).to.deep.equal([{ pointer: '/id', detail: 'not b' }]);
    expect(await (await validatorOf(slow))({ id: 'b' })).to.deep.equal([]);
  });

  it('is a JSON Schema of each draft, with formats', async () => {
    const schema = { type: 'object', properties: { price: { minimum: 0 } }, additionalProperties: false };
    for (const $schema of [
      undefined,
      'https://json-schema.org/draft/2019-09/schema',
      'http://json-schema.org/draft-07/schema#',
    ]) {
      const check = await validatorOf($schema === undefined ? schema : { $schema, ...schema });
      expect(await check({ price: -1 })).to.deep.equal([{ pointer: '/price', detail: 'must be >= 0' }]);
      expect(await check({ price: 1 })).to.deep.equal([]);
      const [more] = await check({ x: 1 });
      expect(more?.detail).to.include('“x”');
    }
    const dates = await validatorOf({ properties: { at: { type: 'string', format: 'date-time' } } });
    expect(await dates({ at: 'yesterday' })).to.have.lengthOf(1);
  });

  it('is nothing else', async () => {
    for (const given of [undefined, null, 7, 'x', [1]])
      expect(await validatorOf(given).catch((error: Error) => error.message)).to.include('it is neither a function');
    expect(await validatorOf({ type: 'nonsense' }).catch((error: Error) => error.message)).to.include('type');
  });
});
