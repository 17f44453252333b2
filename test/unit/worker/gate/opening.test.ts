import { expect } from 'chai';
import type { Mirrored } from '#quiesce/protocol/workers/messages.js';
import { Opening } from '#quiesce/worker/gate/opening.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const run = (id: string): Mirrored => ({
  run: id,
  collection: 'resources',
  outcome: 'succeeded',
  counts: { inserted: 1, updated: 0, deleted: 0, unchanged: 0 },
  keys: ['a'],
});

describe('the opening of a gate', () => {
  function setUp(isHeard: boolean) {
    const log: string[] = [];
    const ends: (() => void)[] = [];
    const opening = new Opening({
      tell: ({ run: id }) => {
        log.push(id);
        return isHeard ? new Promise<void>((resolve) => ends.push(resolve)) : undefined;
      },
      open: (epoch) => void log.push(`open ${epoch}`),
    });
    return { log, ends, opening };
  }

  it('comes at once where nobody has to be waited for, after what was told', () => {
    const { log, opening } = setUp(false);
    opening.resume(3, [run('a'), run('b')]);
    expect(log).to.deep.equal(['a', 'b', 'open 3']);
  });

  it('waits for those who listen, also where they were told earlier in the pause', async () => {
    const { log, ends, opening } = setUp(true);
    opening.hear([run('a')]);
    opening.resume(3, [run('a'), run('b')]);
    await turn();
    expect(log).to.deep.equal(['a', 'b']);
    ends[1]!();
    await turn();
    expect(log).to.deep.equal(['a', 'b']);
    ends[0]!();
    await turn();
    expect(log).to.deep.equal(['a', 'b', 'open 3']);
  });

  it('is asked again without telling again', async () => {
    const { log, ends, opening } = setUp(true);
    opening.resume(3, [run('a')]);
    opening.resume(3, [run('a')]);
    ends[0]!();
    await turn();
    opening.resume(3, [run('a')]);
    expect(log).to.deep.equal(['a', 'open 3', 'open 3', 'open 3']);
  });
});
