import { readFileSync } from 'node:fs';
import { expect } from 'chai';

/** What is loaded at once with a module of dist: the packages. */
function loadedWith(entry: string): Set<string> {
  const packages = new Set<string>();
  const ours = new Set([import.meta.resolve(entry)]);
  for (const url of ours) {
    const code = readFileSync(new URL(url), 'utf8');
    for (const [, name = ''] of code.matchAll(/^(?:import|export) (?:[\w\s{},*]+ from )?['"]([^'"]+)['"];$/gm)) {
      if (name.startsWith('.')) ours.add(new URL(name, url).href);
      else if (!name.startsWith('node:')) packages.add(name);
    }
  }
  expect(ours.size).to.be.above(10);
  return packages;
}

describe('what every worker loads before the app does', () => {
  for (const entry of ['#quiesce/worker/process/boot.js', '#quiesce/index.js']) {
    it(`has few packages in ${entry}: zod alone would take longer than all of it`, () => {
      const few = ['content-type', 'negotiator', 'parseurl', 'structured-headers'];
      expect([...loadedWith(entry)].filter((name) => !few.includes(name))).to.deep.equal([]);
    });
  }
});
