import { expect } from 'chai';
import { InTurn } from '#quiesce/primary/in-turn.js';

describe('works that take turns', () => {
  it('run one after another, in the order in which they came, also after one that failed', async () => {
    const turns = new InTurn();
    const seen: string[] = [];
    let release = (): void => {};
    const first = turns.run(async () => {
      seen.push('first starts');
      await new Promise<void>((resolve) => (release = resolve));
      seen.push('first ends');
      throw new Error('it failed');
    });
    const second = turns.run(async () => seen.push('second'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen).to.deep.equal(['first starts']);
    release();
    expect(await first.catch(({ message }: Error) => message)).to.equal('it failed');
    await second;
    expect(seen).to.deep.equal(['first starts', 'first ends', 'second']);
  });

  it('do not run where they were given up before their turn', async () => {
    const turns = new InTurn();
    const given = new AbortController();
    let hasRun = false;
    given.abort(new Error('given up'));
    const refused = turns.run(async () => void (hasRun = true), given.signal);
    expect(await refused.catch(({ message }: Error) => message)).to.equal('given up');
    expect(await turns.run(async () => 'next')).to.equal('next');
    expect(hasRun).to.equal(false);
  });
});
