import { expect } from 'chai';
import { parseDuration, parseSize, workersFor } from '#quiesce/config/values/units.js';

describe('units', () => {
  it('reads times as milliseconds, with or without a unit', () => {
    const times = { '10s': 10_000, '1.5h': 5_400_000, '500': 500, '250ms': 250, '2 min': 120_000, '0': 0 };
    for (const [text, expected] of Object.entries(times)) expect(parseDuration(text), text).to.equal(expected);
    expect(parseDuration(1600)).to.equal(1600);
  });

  it('refuses what is no time, or more than setTimeout can hold', () => {
    for (const value of ['soon', '', '10 parsecs', '-5s', -1, Number.NaN, Infinity, '30d', null, true, {}, '10s 5s']) {
      expect(parseDuration(value), JSON.stringify(value)).to.equal(undefined);
    }
  });

  it('reads sizes as PM2 does, in powers of 1024', () => {
    const sizes = {
      '512K': 524_288,
      '512M': 536_870_912,
      '1G': 1_073_741_824,
      '1.5 GB': 1_610_612_736,
      '100': 100,
      '1kb': 1024,
      '2GiB': 2 ** 31,
    };
    for (const [text, expected] of Object.entries(sizes)) expect(parseSize(text), text).to.equal(expected);
    for (const value of ['0', 0, '1X', '-1M', 'M', '', 1.5, null])
      expect(parseSize(value), JSON.stringify(value)).to.equal(undefined);
  });

  it('counts workers from the cores, and never fewer than one', () => {
    expect([workersFor(0, 8), workersFor(-1, 8), workersFor(3, 8), workersFor(-8, 8), workersFor(-1, 1)]).to.deep.equal(
      [8, 7, 3, 1, 1],
    );
  });
});
