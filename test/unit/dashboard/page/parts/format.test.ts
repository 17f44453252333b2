import { expect } from 'chai';
import fc from 'fast-check';
import { age, bytes, clock, count, duration, percent, rate, roughly } from '#quiesce/dashboard/page/parts/format.js';

describe('what the page writes', () => {
  it('names a duration by its two largest units', () => {
    const cases: [number, string][] = [
      [0, '0 ms'],
      [0.3, '< 1 ms'],
      [1.26, '1.3 ms'],
      [850, '850 ms'],
      [999.7, '1 s'],
      [4_240, '4.2 s'],
      [9_960, '10 s'],
      [59_600, '1 min'],
      [185_000, '3 min 5 s'],
      [3_599_900, '1 h'],
      [7_800_000, '2 h 10 min'],
      [273_600_000, '3 d 4 h'],
      [-5, '0 ms'],
    ];
    for (const [ms, text] of cases) expect(duration(ms), String(ms)).to.equal(text);
  });

  it('never writes 60 s or 60 min', () => {
    fc.assert(fc.property(fc.nat({ max: 1e9 }), (ms) => !/\b60 (s|min)|1000 ms|24 h/.test(duration(ms))));
  });

  it('counts whole seconds for what goes on', () => {
    expect([age(400), age(1_900), age(61_900)]).to.deep.equal(['less than 1 s', '1 s', '1 min 1 s']);
    expect([roughly(400), roughly(2_893_000), roughly(8e6)]).to.deep.equal(['moments', '48 min', '2 h']);
  });

  it('writes sizes, numbers and shares in three digits or so', () => {
    expect([bytes(0), bytes(999), bytes(72_212_480), bytes(999_600), bytes(1.25e9)]).to.deep.equal([
      '0 B',
      '999 B',
      '72 MB',
      '1 MB',
      '1.3 GB',
    ]);
    expect([count(999), count(1_234_567)]).to.deep.equal(['999', '1\u202f234\u202f567']);
    expect([rate(0), rate(9.84), rate(1_234.5)]).to.deep.equal(['0', '9.8', '1\u202f235']);
    expect([percent(0.04), percent(99.6)]).to.deep.equal(['0 %', '100 %']);
  });

  it('gives the date with a time that is not of today', () => {
    const now = new Date(2026, 10, 22, 15, 0, 0).getTime();
    expect(clock(now - 60_000, now)).to.equal('14:59:00');
    expect(clock(now - 60_000, now, false)).to.equal('14:59');
    expect(clock(now - 86_400_000, now)).to.equal('2026-11-21 15:00:00');
  });
});
