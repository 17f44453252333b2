import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { PrimaryProcess } from '#quiesce/keeper/primary-process.js';
import type { Gone } from '#quiesce/keeper/state.js';

describe('the process of a primary', () => {
  const gone = (args: readonly string[]): Promise<Gone> =>
    new Promise((resolve) => {
      const build = { node: process.execPath, main: fileURLToPath(import.meta.url), called: null, folder: null };
      const call = { build, args, env: process.env, passed: [], group: false };
      const started = new PrimaryProcess(call, { message: () => {}, gone: resolve });
      started.send({ type: 'begin', again: false, beside: false, former: [] });
    });

  it('ends without a word to its keeper where the system cannot start it at all', async () => {
    // Longer than Linux allows for one argument: spawn() throws E2BIG.
    const { code, signal, meant } = await gone(['x'.repeat(3_000_000)]);
    expect({ code, meant }).to.deep.equal({ code: null, meant: false });
    expect(signal).to.include('E2BIG');
  });
});
