import { expect } from 'chai';
import { giveUpBehind, type Writer } from '#quiesce/primary/handover/give-up.js';

describe('what writes to the data directory', () => {
  function world(): { did: string[]; writers: Writer[] } {
    const did: string[] = [];
    const writers = ['one', 'other'].map((name) => ({
      async suspend(): Promise<void> {
        await Promise.resolve();
        did.push(`${name} suspended`);
      },
      resume: () => void did.push(`${name} resumed`),
    }));
    return { did, writers };
  }

  it('stops before the directory is given up', async () => {
    const { did, writers } = world();
    await giveUpBehind(writers, async () => void did.push('given up'));
    expect(did).to.deep.equal(['one suspended', 'other suspended', 'given up']);
  });

  it('goes on where it cannot be given up, for a full disk or a writer that fails', async () => {
    const full = world();
    const error = new Error('ENOSPC');
    const refused = giveUpBehind(full.writers, () => Promise.reject(error));
    expect(await refused.catch((thrown: unknown) => thrown)).to.equal(error);
    expect(full.did.slice(-2)).to.deep.equal(['one resumed', 'other resumed']);

    const { did, writers } = world();
    const failing: Writer = { suspend: () => Promise.reject(error), resume: () => {} };
    const failed = giveUpBehind([failing, ...writers], async () => void did.push('given up'));
    expect(await failed.catch((thrown: unknown) => thrown)).to.equal(error);
    expect(did).to.deep.equal(['one suspended', 'other suspended', 'one resumed', 'other resumed']);
  });
});
