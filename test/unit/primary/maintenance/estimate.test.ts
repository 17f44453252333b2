import { expect } from 'chai';
import { estimatePause } from '#quiesce/primary/maintenance/estimate.js';
import { initialState } from '#quiesce/primary/maintenance/machine/initial-state.js';
import type { Run, State } from '#quiesce/primary/maintenance/machine/state.js';

describe('how long a pause is expected to last', () => {
  // The wall clock has been set back since the hold began.
  const now = { wall: 100_000, monotonic: 5_000 };
  const run: Run = {
    id: 'r',
    kind: 'sync',
    stage: 'running',
    owner: null,
    epoch: 1,
    recovered: false,
    timeout: null,
    endsWith: null,
    exec: null,
    asks: null,
    fence: null,
    held: { wall: 900_000, monotonic: now.monotonic - 2_000 },
  };
  const state = (change: Partial<State>): State => ({ ...initialState(0, null), ...change });

  it('is what the run says, once it knows', () => {
    expect(estimatePause(state({ run }), { step: 'write', done: 1, eta: 700 }, { lastPaused: 9_000 }, now)).to.equal(
      700,
    );
  });

  it('is what the last run took, before that', () => {
    expect(estimatePause(state({ run }), { step: 'prepare', done: 1, eta: 700 }, { lastPaused: 9_000 }, now)).to.equal(
      7_000,
    );
  });

  it('is as long again once it takes longer than expected', () => {
    expect(estimatePause(state({ run }), undefined, { lastPaused: 500 }, now)).to.equal(2_000);
  });

  it('is what the operator said, where that is longer', () => {
    const operator = { reason: '', since: 0, until: now.wall + 90_000, by: null };
    expect(
      estimatePause(state({ run, operator }), { step: 'write', done: 1, eta: 5 }, { lastPaused: null }, now),
    ).to.equal(90_000);
    expect(
      estimatePause(state({ operator: { ...operator, until: null } }), undefined, { lastPaused: null }, now),
    ).to.equal(60_000);
    expect(
      estimatePause(state({ operator: { ...operator, until: now.wall - 1 } }), undefined, { lastPaused: null }, now),
    ).to.equal(0);
  });
});
