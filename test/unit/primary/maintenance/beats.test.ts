import { expect } from 'chai';
import { Beats } from '#quiesce/primary/maintenance/beats.js';
import { initialState } from '#quiesce/primary/maintenance/machine/initial-state.js';
import type { GateView, State } from '#quiesce/primary/maintenance/machine/state.js';
import type { Heartbeat } from '#quiesce/protocol/workers/messages.js';
import { aBeat } from '../fleet/a-beat.js';
import { keyOf } from '#quiesce/primary/worker-ref.js';

describe('the beats of the workers', () => {
  const beat = (change: Partial<Heartbeat>): Heartbeat => aBeat({ gate: 'shut', ...change });
  let mirrored: string[] = [];
  beforeEach(() => (mirrored = []));
  const state = (...gates: GateView[]): State => {
    const workers = gates.map((gate, slot) => ({ slot, incarnation: 1, greeted: true, gate, mirrored }));
    return {
      ...initialState(0, null),
      phase: 'draining',
      workers: new Map(workers.map((worker) => [keyOf(worker), worker])),
    };
  };
  const ref = (slot: number): { slot: number; incarnation: number } => ({ slot, incarnation: 1 });

  it('count refusals, those of workers that are gone included, and never fall', () => {
    const beats = new Beats();
    beats.set(ref(0), beat({ refused: 3 }));
    beats.set(ref(1), beat({ refused: 4 }));
    beats.set(ref(1), beat({ refused: 5 }));
    beats.forget(ref(0));
    expect(beats.refused).to.equal(8);
    beats.set({ slot: 0, incarnation: 2 }, beat({ refused: 2 }));
    expect(beats.refused).to.equal(10);
  });

  it('name what a drain waits for, the oldest first, and not what shut workers had', () => {
    const beats = new Beats();
    beats.set(ref(0), beat({ oldest: [{ method: 'GET', path: '/a', age: 10 }] }));
    beats.set(ref(1), beat({ oldest: [{ method: 'GET', path: '/b', age: 5_000 }] }));
    beats.set(ref(2), beat({ oldest: [{ method: 'GET', path: '/c', age: 9_000 }] }));
    expect(beats.waitingFor(state('draining', 'draining', 'shut')).map(({ slot, path }) => [slot, path])).to.deep.equal(
      [
        [1, '/b'],
        [0, '/a'],
      ],
    );
    expect(beats.waitingFor({ ...state('draining'), phase: 'quiesced' })).to.deep.equal([]);
  });

  it('are complete when every open worker has sent one since', async () => {
    const beats = new Beats();
    let complete = false;
    beats.set(ref(0), beat({}));
    const tally = beats.tally(() => state('open', 'shut')).then(() => (complete = true));
    await Promise.resolve();
    expect(complete).to.equal(false);
    beats.set(ref(0), beat({ refused: 1 }));
    await tally;
    expect(beats.refused).to.equal(1);
  });

  it('say that a worker serves again only when those who listen to a run have heard of it', async () => {
    const beats = new Beats();
    mirrored = ['run1'];
    let complete = false;
    const tally = beats.tally(() => state('open')).then(() => (complete = true));
    beats.set(ref(0), beat({ gate: 'shut' }));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(complete, 'while they listen').to.equal(false);
    beats.set(ref(0), beat({ gate: 'open' }));
    await tally;
  });

  it('are not waited for where a worker has died', async () => {
    const beats = new Beats();
    let present = state('open');
    const tally = beats.tally(() => present);
    present = state();
    beats.forget(ref(0));
    await tally;
  });
});
