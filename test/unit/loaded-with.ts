import { readFileSync } from 'node:fs';
import { expect } from 'chai';

/** What is loaded at once with a module of dist: the packages, and the modules of dist by their paths there. */
export function loadedWith(entry: string): { packages: string[]; modules: string[] } {
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
  const dist = new URL('./', import.meta.resolve('#quiesce/index.js')).href;
  return { packages: [...packages], modules: [...ours].map((url) => url.slice(dist.length)) };
}
