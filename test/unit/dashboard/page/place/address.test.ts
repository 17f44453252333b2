import { expect } from 'chai';
import fc from 'fast-check';
import {
  formatAddress,
  home,
  logLevels,
  parseAddress,
  rangeOf,
  ranges,
  toggled,
  type Address,
  type Range,
} from '#quiesce/dashboard/page/place/address.js';

const addresses: fc.Arbitrary<Address> = fc.record({
  runs: fc.uniqueArray(fc.string({ minLength: 1 })),
  workers: fc.uniqueArray(fc.nat(1_023)),
  range: fc.option(fc.constantFrom(...(Object.keys(ranges) as Range[]))),
  at: fc.option(fc.nat(2 ** 42)),
  log: fc.record({
    level: fc.constantFrom(...logLevels),
    from: fc.oneof(fc.constantFrom('all', 'supervisor'), fc.nat(1_023).map(String)),
    text: fc.string({ maxLength: 200 }),
  }),
});

describe('the address of the page', () => {
  it('is short where all is as usual', () => {
    expect(formatAddress(home)).to.equal('/');
    expect(parseAddress('')).to.deep.equal(home);
  });

  it('can be read and written by people', () => {
    const address: Address = {
      runs: ['20261128t020000000-3f2a1b'],
      workers: [2],
      range: '7d',
      at: Date.UTC(2026, 10, 28, 2),
      log: { level: 'warnings', from: '2', text: 'GET /orders' },
    };
    const written =
      '/?run=20261128t020000000-3f2a1b&worker=2&range=7d&at=2026-11-28T02%3A00%3A00.000Z&level=warnings&from=2&text=GET+%2Forders';
    expect(formatAddress(address)).to.equal(written);
    expect(parseAddress('?at=2026-11-28T03:00%2B01:00').at).to.equal(address.at);
  });

  it('says the same to whoever gets it', () => {
    fc.assert(
      fc.property(addresses, (address) => {
        expect(parseAddress(formatAddress(address).slice(1))).to.deep.equal(address);
      }),
    );
  });

  it('leaves out what makes no sense', () => {
    const cut = '?run=&worker=x&worker=-1&worker=99999&range=9d&at=yesterday&level=loud&from=me&more=1';
    expect(parseAddress(cut)).to.deep.equal(home);
    expect(parseAddress('?run=a&run=a&worker=1&worker=01').runs).to.deep.equal(['a']);
    expect(parseAddress(`?text=${'x'.repeat(300)}`).log.text).to.have.length(200);
  });

  it('opens and closes one of several', () => {
    expect(toggled([1, 2], 3)).to.deep.equal([1, 2, 3]);
    expect(toggled([1, 2], 1)).to.deep.equal([2]);
  });

  it('shows the pauses as far back as the marked time, unless it says how far', () => {
    const now = 1e12;
    expect(rangeOf({ range: null, at: null }, now)).to.equal('24h');
    expect(rangeOf({ range: null, at: now - 1_000 }, now)).to.equal('24h');
    expect(rangeOf({ range: null, at: now - 2 * ranges['24h'] }, now)).to.equal('7d');
    expect(rangeOf({ range: '1h', at: now - 2 * ranges['24h'] }, now)).to.equal('1h');
  });
});
