import { expect } from 'chai';
import { explore, randomFrom, tell, walk, type Model } from './explore.ts';

/** A counter that goes up by itself and may be set back. */
function counter(more: Partial<Model<number>> = {}): Model<number> {
  return {
    name: 'a counter',
    initial: [0],
    *moves(state) {
      if (state < 4) yield { name: 'up', to: state + 1, fair: 'up' };
      if (state === 3) yield { name: 'back', to: 1 };
    },
    key: String,
    always: {},
    sometimes: {},
    ...more,
  };
}

describe('the explorer', () => {
  it('visits every state once, and says how deep they lie', () => {
    expect(explore(counter())).to.include({ states: 5, depth: 4, complete: true, violation: null });
  });

  it('says that it has not seen all where there are too many', () => {
    expect(explore(counter(), { states: 2 }).complete).to.equal(false);
  });

  it('tells the shortest way to what must not be', () => {
    const found = explore(counter({ always: { 'stays small': (state) => (state > 2 ? `it is ${state}` : null) } }));
    expect(tell(found)).to.equal('a counter: stays small does not hold: it is 3\n   1. up\n   2. up\n   3. up');
  });

  it('names what is never reached', () => {
    const sometimes = { 'is 4': (state: number) => state === 4, 'is 5': (state: number) => state === 5 };
    expect(explore(counter({ sometimes })).missing).to.deep.equal(['is 5']);
  });

  it('takes what is possible all along a round as something that happens', () => {
    const round = (fair?: string): Model<number> =>
      counter({
        *moves(state) {
          if (state === 9) return;
          yield { name: 'round', to: (state + 1) % 3, fair: 'round' };
          yield { name: 'out', to: 9, ...(fair === undefined ? {} : { fair }) };
        },
        eventually: { 'is 9': (state) => state === 9 },
      });
    expect(explore(round('out')).violation).to.equal(null);
    expect(explore(round()).violation?.what).to.equal('it can go round for ever');
  });

  it('finds a round that nothing has to leave, and an end', () => {
    const round = counter({
      *moves(state) {
        yield { name: 'round', to: (state + 1) % 3, fair: 'round' };
        if (state === 2) yield { name: 'out', to: 9 };
      },
      eventually: { 'is 9': (state) => state === 9 },
    });
    expect(explore(round).violation).to.deep.include({ what: 'it can go round for ever', cycle: ['round'] });
    const end = counter({ eventually: { 'is 5': (state) => state === 5 } });
    expect(explore(end).violation).to.include({ what: 'nothing that has to happen is possible any more' });
  });

  it('finds an error that is thrown on the way', () => {
    const throwing = counter({
      *moves(state) {
        if (state === 2) throw new Error('no such move');
        yield { name: 'up', to: state + 1 };
      },
    });
    expect(explore(throwing).violation).to.deep.include({ what: 'Error: no such move', path: ['up', 'up'] });
  });

  it('walks at random, the same way for the same seed', () => {
    const always = { 'stays small': (state: number) => (state === 4 ? 'it is 4' : null) };
    const found = [1, 1].map(
      (seed) => walk(counter({ always }), { walks: 10, length: 50 }, randomFrom(seed)).violation,
    );
    expect(found[0]?.property).to.equal('stays small');
    expect(found[0]).to.deep.equal(found[1]);
  });
});
