import { expect } from 'chai';
import fc from 'fast-check';
import { newRunId } from '#quiesce/primary/runs/history/id.js';

describe('the id of a run', () => {
  it('is the time at which it was made', () => {
    const now = new Date('2026-11-22T03:15:00.123Z');
    expect(newRunId(now, null)).to.match(/^20261122t031500123-[0-9a-f]{6}$/);
    expect(newRunId(now, newRunId(new Date(now.getTime() - 1), null))).to.match(/^20261122t031500123-/);
  });

  it('sorts after the one before, whatever the clock does', () => {
    const time = fc.date({ min: new Date(0), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true });
    fc.assert(
      fc.property(fc.array(time, { minLength: 2, maxLength: 20 }), (times) => {
        let newest: string | null = null;
        for (const now of times) {
          const id = newRunId(now, newest);
          expect(id).to.match(/^\d{8}t\d{9}-[0-9a-f]{6}$/);
          if (newest !== null) expect(id > newest, `${id} after ${newest}`).to.equal(true);
          newest = id;
        }
      }),
    );
  });

  it('holds the next millisecond while the clock is behind, and the time again once the clock has caught up', () => {
    const ahead = '20261231t235959999-ffffff';
    expect(newRunId(new Date('2026-11-22T03:15:00Z'), ahead)).to.match(/^20270101t000000000-/);
    expect(newRunId(new Date('2026-12-31T23:59:59.999Z'), ahead)).to.match(/^20270101t000000000-/);
    expect(newRunId(new Date('2027-01-02T00:00:00Z'), ahead)).to.match(/^20270102t000000000-/);
  });
});
