import { expect } from 'chai';
import type { Heartbeat } from '#quiesce/protocol/workers/messages.js';
import { Traffic } from '#quiesce/primary/live/traffic.js';
import { aBeat } from '../fleet/a-beat.js';

const worker = { slot: 1, incarnation: 4 };
const beat = (served: number, refused = 0): Heartbeat => aBeat({ served, refused });

describe('the traffic', () => {
  let now: number;
  let traffic: Traffic;
  beforeEach(() => {
    now = 1_000;
    traffic = new Traffic(() => now);
  });

  it('is what a worker has counted between two beats', () => {
    traffic.beat(worker, beat(100));
    now += 1_000;
    traffic.beat(worker, beat(350, 20));
    expect(traffic.ratesOf(worker)).to.deep.equal({ served: 250, refused: 20 });
    now += 2_000;
    traffic.beat(worker, beat(450, 20));
    expect(traffic.ratesOf(worker)).to.deep.equal({ served: 50, refused: 0 });
  });

  it('is not measured over the moment between a beat and one out of turn', () => {
    traffic.beat(worker, beat(0));
    now += 1_000;
    traffic.beat(worker, beat(100));
    now += 2;
    traffic.beat(worker, beat(103));
    expect(traffic.ratesOf(worker).served).to.equal(100);
    now += 998;
    traffic.beat(worker, beat(200));
    expect(traffic.ratesOf(worker).served).to.equal(100);
  });

  it('is unknown, so nothing, for a worker that has not beaten for long, and for one that is gone', () => {
    traffic.beat(worker, beat(0));
    now += 1_000;
    traffic.beat(worker, beat(100));
    now += 3_900;
    expect(traffic.ratesOf(worker).served).to.equal(100);
    now += 200;
    expect(traffic.ratesOf(worker).served).to.equal(0);
    traffic.beat(worker, beat(200));
    traffic.gone(worker);
    expect(traffic.ratesOf(worker).served).to.equal(0);
  });
});
