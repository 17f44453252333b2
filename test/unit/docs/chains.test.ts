import { readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { expect } from 'chai';

const importFrom = /(?:\bfrom|\bimport)\s*\(?\s*'(\.[^']+)'/g;

/** The files of ours that a file of src imports, by their paths in src. */
async function importsOf(file: string): Promise<Set<string>> {
  const text = await readFile(join('src', file), 'utf8');
  return new Set([...text.matchAll(importFrom)].map(([, path = '']) => normalize(join(dirname(file), path))));
}

/** What both ends of a channel know: its kinds of messages, or where it is. */
const channels = /^(protocol\/|mirror\/messages\.ts$|primary\/admin\/control-socket\.ts$)/;

async function isTrue(from: string, arrow: string, to: string): Promise<boolean> {
  const [own, others] = await Promise.all([importsOf(from), importsOf(to)]);
  switch (arrow) {
    case '→':
      return own.has(to);
    case '←':
      return others.has(from);
    case '⇢':
      return !own.has(to) && !others.has(from) && [...own].some((file) => channels.test(file) && others.has(file));
    default:
      throw new Error(`no such arrow: ${arrow}`);
  }
}

async function faultsIn(way: string): Promise<string[]> {
  const faults: string[] = [];
  const steps = way.split(' ');
  for (let at = 0; at + 2 < steps.length; at += 2) {
    const [from = '', arrow = '', to = ''] = steps.slice(at, at + 3);
    if (!(await isTrue(from, arrow, to))) faults.push(`${from} ${arrow} ${to}`);
  }
  return faults;
}

describe('the ways through the code in docs/architecture.md', () => {
  let ways: { readonly name: string; readonly way: string }[];
  before(async () => {
    const docs = await readFile('docs/architecture.md', 'utf8');
    const [, block] = /<!-- chains -->\n```\n(.*?)```/s.exec(docs) ?? [];
    if (block === undefined) throw new Error('docs/architecture.md shows no way');
    ways = block
      .trimEnd()
      .split('\n')
      .map((line) => /^(?<name>[a-z]+(?:, [a-z]+)?) +(?<way>.+)$/.exec(line)?.groups as { name: string; way: string });
  });

  it('are those of a feed, a pause, a crash, a reload and a hold', () => {
    const names = new Set(ways.map(({ name }) => name.split(',')[0]));
    expect([...names]).to.deep.equal(['feed', 'pause', 'crash', 'reload', 'hold']);
  });

  it('are those that the imports allow', async () => {
    for (const { name, way } of ways) expect(await faultsIn(way), name).to.deep.equal([]);
  });

  it('would be missed where they are not', async () => {
    expect(await faultsIn('cli/orders/stop.ts → worker/gate/gate.ts')).to.have.lengthOf(1);
    expect(await faultsIn('cli/orders/stop.ts ⇢ worker/gate/gate.ts')).to.have.lengthOf(1);
    expect(await faultsIn('worker/gate/gate.ts ← worker/gate/in-flight/in-flight.ts')).to.have.lengthOf(1);
  });
});
