import { expect } from 'chai';
import fc from 'fast-check';
import { linePath } from '#quiesce/dashboard/page/now/sparkline.js';
import { kindOf, marksOf, pausedFor, ticksOf } from '#quiesce/dashboard/page/history/timeline.js';
import { bandsOf, columnsOf } from '#quiesce/dashboard/page/history/traffic.js';
import type { PauseRecord, Sample } from '#quiesce/protocol/api/live.js';

const at = (ms: number): string => new Date(ms).toISOString();
const pause = (from: number, to?: number): PauseRecord => ({
  epoch: 1,
  from: at(from),
  ...(to === undefined ? {} : { to: at(to) }),
  holds: [],
  refused: 0,
});

describe('a small line', () => {
  it('ends at the right edge, and begins later where less is known', () => {
    expect(linePath([0, 10], 3, 10)).to.equal('M50.0 23.0L100.0 1.0');
  });

  it('has a gap where nothing is known', () => {
    expect(linePath([5, null, 5], 3, 10)).to.equal('M0.0 12.0M100.0 12.0');
  });

  it('stays within its box', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true }), { minLength: 1, maxLength: 120 }),
        fc.double({ min: 0, noNaN: true }),
        (values, max) => {
          const numbers = linePath(values, 120, max)
            .match(/[\d.-]+/g)!
            .map(Number);
          return numbers.every((number, index) => number >= 0 && number <= (index % 2 === 0 ? 100 : 24));
        },
      ),
    );
  });
});

describe('the strip of pauses', () => {
  const hour = 3_600_000;
  const now = Date.parse('2026-11-22T15:20:00Z');

  it('shows what lies within it, cut at its edges', () => {
    const pauses = [
      pause(now - 3 * hour, now - 2 * hour),
      pause(now - 1.5 * hour, now - 0.75 * hour),
      pause(now - 0.25 * hour),
    ];
    const marks = marksOf(pauses, now, hour);
    expect(marks.map(({ left, width }) => [left, width])).to.deep.equal([
      [0, 0.25],
      [0.75, 0.25],
    ]);
    expect(pausedFor(marks, hour)).to.equal(0.5 * hour);
  });

  it('is marked at round times, in order and within it', () => {
    for (const span of [hour, 24 * hour, 7 * 24 * hour]) {
      const ticks = ticksOf(now, span);
      expect(ticks.length).to.be.within(3, 7);
      const places = ticks.map((tick) => tick.at);
      expect(places).to.deep.equal(places.toSorted((a, b) => a - b));
      expect(Math.min(...places)).to.be.above(0);
      expect(Math.max(...places)).to.be.below(1);
      if (span < 7 * 24 * hour) for (const { label } of ticks) expect(label).to.match(/^\d\d:(00|15|30|45)$/);
    }
  });

  it('calls a pause by the hold that weighs most', () => {
    const held = (...kinds: ('sync' | 'operator' | 'exclusive')[]): PauseRecord => ({
      ...pause(0),
      holds: kinds.map((kind) => ({ kind, reason: '', since: at(0) })),
    });
    expect([held(), held('sync'), held('sync', 'operator')].map(kindOf)).to.deep.equal(['none', 'sync', 'operator']);
  });
});

describe('the plot of requests', () => {
  const sample = (second: number): Sample => ({ at: at(second * 1_000), served: second, refused: 0, workers: [] });

  it('breaks off where seconds are missing', () => {
    const { times, served } = columnsOf([sample(1), sample(2), sample(9)]);
    expect(times).to.deep.equal([1, 2, 3, 9]);
    expect(served).to.deep.equal([1, 2, null, 9]);
  });

  it('has a band for each pause that touches it, up to now where it goes on', () => {
    expect(bandsOf([pause(1_000, 2_000), pause(4_000, 9_000), pause(15_000)], 5, 20)).to.deep.equal([
      [5, 9],
      [15, 20],
    ]);
  });
});
