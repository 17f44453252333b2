import { expect } from 'chai';
import { initialState } from '#quiesce/primary/maintenance/machine/initial-state.js';
import type { Event, Rules, State } from '#quiesce/primary/maintenance/machine/state.js';
import { step } from '#quiesce/primary/maintenance/machine/step.js';

const rules: Rules = { drainTimeout: 1_000, onDrainTimeout: 'abort', runTimeout: 1_000, uploadTimeout: 1_000 };
const former = { slot: -1, incarnation: 3 };
const hold = { reason: 'moving', since: 0, until: null, by: null };

function after(state: State, ...events: Event[]): State {
  return events.reduce((now, event) => step(now, event, { wall: 0, monotonic: 0 }, rules).state, state);
}

describe('a former primary that still finishes what is in flight', () => {
  it('keeps a pause from its end until it has gone', () => {
    const serving = initialState(1, null, null, null, [former]);
    expect(serving.phase).to.equal('serving');
    const pausing = after(serving, { type: 'hold', reason: null, lasts: null, by: null, waiter: null });
    expect(pausing.phase).to.equal('draining');
    expect(after(pausing, { type: 'gone', worker: former }).phase).to.equal('quiesced');
  });

  it('keeps a hold that stands already, and what an earlier primary has left, from being at rest', () => {
    const held = initialState(1, hold, null, null, [former]);
    expect(held.phase, 'its gates may be open').to.equal('draining');
    const left = after(initialState(1, null, null, null, [former]), { type: 'recover', runs: ['run-1'] });
    expect(left.run?.stage).to.equal('draining');
    expect(after(left, { type: 'gone', worker: former }).run?.stage).to.equal('running');
  });

  it('is one of several: the last one counts', () => {
    const another = { slot: -1, incarnation: 4 };
    const held = initialState(1, hold, null, null, [former, another]);
    const one = after(held, { type: 'gone', worker: former });
    expect(one.phase).to.equal('draining');
    expect(after(one, { type: 'gone', worker: another }).phase).to.equal('quiesced');
  });
});

describe('a primary that is about to be replaced', () => {
  it('begins no run until that is called off', () => {
    const worker = { slot: 0, incarnation: 1 };
    const claim: Event = { type: 'claim', run: 'run-1', kind: 'sync', owner: worker };
    const begun = after(initialState(1, null), { type: 'forked', worker }, { type: 'hand-over', begun: true });
    const { state, effects } = step(begun, claim, { wall: 0, monotonic: 0 }, rules);
    expect(effects).to.deep.equal([{ type: 'refuse', run: 'run-1', code: 'stopping', holder: null }]);
    expect(after(state, { type: 'hand-over', begun: false }, claim).run?.id).to.equal('run-1');
  });
});
