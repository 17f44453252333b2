import { expect } from 'chai';
import { estimatePause } from '#quiesce/primary/maintenance/estimate.js';
import { initialState } from '#quiesce/primary/maintenance/machine/initial-state.js';
import type { Run, SiteHold, State } from '#quiesce/primary/maintenance/machine/state.js';

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

  describe('where all hosts are held', () => {
    const shut: SiteHold = {
      kind: 'sync',
      reason: '',
      since: now.wall - 2_000,
      operator: null,
      epoch: 3,
      run: 'other',
    };
    const operator = { reason: '', since: 0, until: now.wall + 3_600_000, by: null };
    const estimate = (change: Partial<State>, lastPaused: number | null = 9_000): number =>
      estimatePause(state(change), { step: 'write', done: 1, eta: 1 }, { lastPaused }, now);

    it('is what the operator of all hosts said, also while a run has the gates', () => {
      expect(estimate({ site: { ...shut, kind: 'operator', operator, run: null } })).to.equal(3_600_000);
      expect(estimate({ site: { ...shut, operator } })).to.equal(3_600_000);
      const endless = { ...operator, until: null };
      expect(estimate({ site: { ...shut, kind: 'operator', operator: endless, run: null } })).to.equal(60_000);
      const nearlyOver = { ...operator, until: now.wall + 500 };
      expect(estimate({ site: { ...shut, kind: 'operator', operator: nearlyOver, run: null }, operator })).to.equal(
        3_600_000,
      );
    });

    it('is what the last run took, for a run of another host', () => {
      expect(estimate({ site: shut })).to.equal(7_000);
      expect(estimate({ site: shut }, 500)).to.equal(2_000);
      expect(estimate({ site: { ...shut, since: now.wall + 800_000 } }), 'a clock that was set back').to.equal(9_000);
      const refused: Run = { ...run, stage: 'claimed', held: null };
      expect(estimate({ site: shut, run: refused }), 'while a claim of this host is being refused').to.equal(7_000);
    });

    it('is what the run says, for the run of this host', () => {
      expect(estimate({ site: { ...shut, run: run.id }, run })).to.equal(1);
    });

    it('is not known while this host is out of the cluster, and not at once', () => {
      for (const since of [now.wall, now.wall - 3_600_000])
        expect(estimate({ site: { ...shut, kind: 'cluster', epoch: null, run: null, since } })).to.equal(5_000);
    });
  });
});
