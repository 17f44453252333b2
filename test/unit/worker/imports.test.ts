import { expect } from 'chai';
import { loadedWith } from '../loaded-with.ts';

describe('what every worker loads before the app does', () => {
  for (const entry of ['#quiesce/worker/process/boot.js', '#quiesce/index.js']) {
    it(`has few packages in ${entry}: zod alone would take longer than all of it`, () => {
      const few = ['content-type', 'negotiator', 'parseurl', 'structured-headers'];
      expect(loadedWith(entry).packages.filter((name) => !few.includes(name))).to.deep.equal([]);
    });
  }
});
