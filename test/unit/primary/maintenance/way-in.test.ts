import { expect } from 'chai';
import { holdsOf, wayInOf } from '#quiesce/primary/maintenance/pause-informer.js';
import { initialState } from '#quiesce/primary/maintenance/machine/initial-state.js';
import type { Event, SiteHold, State } from '#quiesce/primary/maintenance/machine/state.js';
import { step } from '#quiesce/primary/maintenance/machine/step.js';

describe('the way in of an operator hold', () => {
  const now = { wall: 1_000, monotonic: 1_000 };
  const rules = { drainTimeout: 1, onDrainTimeout: 'abort', runTimeout: 1, uploadTimeout: 1 } as const;
  const pass = { word: 'open-sesame', key: 'k' };
  const hold = { type: 'hold', reason: null, lasts: null, by: null, waiter: null } as const;
  const after = (...events: Event[]): State =>
    events.reduce((state, event) => step(state, event, now, rules).state, initialState(0, null));
  const secretOf = (state: State): unknown => wayInOf(state).wayIn?.secret;

  it('belongs to the hold: one who changes nothing keeps it, and it goes with the hold', () => {
    expect(secretOf(after({ ...hold, pass }))).to.equal(pass);
    expect(secretOf(after({ ...hold, pass }, { ...hold, reason: 'again' }))).to.equal(pass);
    expect(secretOf(after({ ...hold, pass }, { type: 'unhold' }, hold))).to.equal(null);
    const other = { ...pass, key: 'other' };
    expect(secretOf(after({ ...hold, pass }, { ...hold, pass: other }))).to.equal(other);
  });

  it('comes with a hold that is scheduled', () => {
    const scheduled = { at: now.wall, lasts: null, reason: null, by: null, pass };
    const begins: Event = { type: 'timeout', timer: { kind: 'scheduled', at: now.wall } };
    expect(secretOf(after({ type: 'schedule', hold: scheduled }, begins))).to.equal(pass);
    expect(secretOf(after(hold, { type: 'schedule', hold: scheduled }, begins))).to.equal(pass);
  });

  it('is there for an operator hold alone: not in a run, an exec, or before what was left has ended', () => {
    const exec: Event = {
      type: 'exec',
      run: 'r',
      terms: { reason: null, by: null, within: null, keepOnFailure: false },
    };
    expect(wayInOf(after())).to.deep.equal({});
    expect(wayInOf(after({ ...hold, pass }, exec))).to.deep.equal({});
    expect(wayInOf(after({ ...hold, pass }, { type: 'recover', runs: ['a', 'b'] }))).to.deep.equal({});
    expect(secretOf(after({ ...hold, pass }, exec, { type: 'exec-end', run: 'r', error: null }))).to.equal(pass);
  });

  it('is that of the cluster where an operator holds all hosts: never in a run of another, and without a word where both are held', () => {
    const operator: SiteHold['operator'] = { reason: 'all', since: 1, until: null, by: null, pass };
    const site = (kind: SiteHold['kind']): SiteHold => ({ kind, reason: '', since: 1, operator, epoch: 1, run: null });
    const under = (kind: SiteHold['kind'], ...events: Event[]): State => ({ ...after(...events), site: site(kind) });
    expect(secretOf(under('operator'))).to.equal(pass);
    for (const kind of ['sync', 'exclusive', 'exec', 'cluster'] as const) {
      expect(wayInOf(under(kind)), kind).to.deep.equal({});
      expect(wayInOf(under(kind, { ...hold, pass })), `${kind}, and held here`).to.deep.equal({});
    }
    // Who has the word of one of two holds has not that of the other.
    expect(wayInOf(under('operator', { ...hold, pass }))).to.deep.equal({ wayIn: { secret: null } });
  });

  it('is told without its word', () => {
    const [told] = holdsOf(after({ ...hold, pass }));
    expect(told).to.include({ wayIn: true });
    expect(JSON.stringify(told)).not.to.include(pass.word);
    expect(holdsOf(after(hold))[0]).not.to.have.property('wayIn');
  });
});
