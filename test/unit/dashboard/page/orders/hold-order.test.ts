import { expect } from 'chai';
import { changeOrder, holdOrder, nextHour, type HoldForm } from '#quiesce/dashboard/page/orders/hold-order.js';

const now = new Date(2026, 10, 28, 13, 5, 7).getTime();
const form: HoldForm = { reason: '', begins: null, ends: null };
const order = (change: Partial<HoldForm>): object => holdOrder({ ...form, ...change }, 'anna', now);

describe('a hold that is ordered on the page', () => {
  it('begins now and lasts until somebody resumes, if nothing else is said', () => {
    expect(order({})).to.deep.equal({ on: true, by: 'anna' });
    expect(order({ reason: ' New disk ' })).to.deep.equal({ on: true, by: 'anna', reason: 'New disk' });
  });

  it('ends after a while, or at a time of day', () => {
    expect(order({ ends: { after: '30m' } })).to.include({ for: '30m' });
    expect(order({ ends: { at: '2026-11-28T13:30' } })).to.include({ for: 24 * 60_000 + 53_000 });
  });

  it('begins at a time of day, which its end counts from', () => {
    const at = new Date(2026, 10, 29, 2).toISOString();
    expect(order({ begins: '2026-11-29T02:00' })).to.deep.equal({ on: true, by: 'anna', at });
    expect(order({ begins: '2026-11-29T02:00', ends: { after: '1h' } })).to.include({ at, for: '1h' });
    expect(order({ begins: '2026-11-29T02:00', ends: { at: '2026-11-29T02:30' } })).to.include({
      at,
      for: 30 * 60_000,
    });
  });

  it('is extended from now on, and keeps what is not said', () => {
    const change = (more: Partial<HoldForm>, here = false): object =>
      changeOrder({ ...form, ...more }, 'anna', now, here);
    expect(change({ ends: { after: '1h' } })).to.deep.equal({ on: true, by: 'anna', for: '1h' });
    expect(change({ reason: 'longer' }, true)).to.deep.equal({ on: true, by: 'anna', reason: 'longer', here: true });
    expect(change({ begins: '2026-11-29T02:00', ends: { at: '2026-11-28T13:30' } })).to.deep.equal({
      on: true,
      by: 'anna',
      for: 24 * 60_000 + 53_000,
    });
    expect(() => change({})).to.throw('Choose a new end, or give a new reason.');
  });

  it('is refused with a reason where its times make no sense', () => {
    expect(() => order({ begins: '2026-11-28T13:05' })).to.throw('begin in the past');
    expect(() => order({ ends: { at: '2026-11-28T13:05' } })).to.throw('end in the past');
    expect(() => order({ begins: '2026-11-29T02:00', ends: { at: '2026-11-29T02:00' } })).to.throw(
      'end before it begins',
    );
    expect(() => order({ begins: '' })).to.throw('The hold begins at: choose a day and a time.');
    expect(() => order({ ends: { at: '' } })).to.throw('The hold ends at: choose a day and a time.');
  });

  it('is offered the next full hour', () => {
    expect(nextHour(now)).to.equal('2026-11-28T14:00');
    expect(nextHour(new Date(2026, 11, 31, 23, 59).getTime())).to.equal('2027-01-01T00:00');
  });
});
