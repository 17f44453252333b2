import { expect } from 'chai';
import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { lastLines, tail } from '#quiesce/cli/history/tail.js';
import { scratchFolders } from '../../scratch.js';

const scratch = scratchFolders();

async function all(name: string, lines: number): Promise<string> {
  let text = '';
  for await (const chunk of tail(name, { lines, follow: false })) text += chunk.toString();
  return text;
}

describe('the tail of a log', () => {
  it('begins at the last lines, wherever they lie', async () => {
    const text = Array.from({ length: 5000 }, (_, index) => `${index} ${'x'.repeat(index % 90)}\n`).join('');
    const name = path.join(scratch({ log: text }), 'log');
    const lines = text.split(/(?<=\n)/);
    for (const count of [1, 2, 999, 4999, 5000, 6000]) {
      expect(await all(name, count), String(count)).to.equal(lines.slice(-count).join(''));
    }
    expect(await all(name, 0)).to.equal('');
  });

  it('counts a last line that is not ended yet, and lines longer than a block', async () => {
    const long = 'y'.repeat(200_000);
    const name = path.join(scratch({ log: `one\n${long}\nthree` }), 'log');
    expect(await all(name, 1)).to.equal('three');
    expect(await all(name, 2)).to.equal(`${long}\nthree`);
    const empty = await open(path.join(scratch({ log: '' }), 'log'));
    expect(await lastLines(empty, 5)).to.equal(0);
    await empty.close();
  });

  it('follows what is added, through a rotation and a truncation, and loses nothing', async () => {
    const name = path.join(scratch({ log: 'old\n1\n' }), 'log');
    const lines = tail(name, { lines: 1, follow: true });
    let seen = '';
    const until = async (text: string): Promise<void> => {
      while (!seen.endsWith(text)) seen += String((await lines.next()).value);
    };
    await until('1\n');
    appendFileSync(name, '2\n');
    await until('2\n');
    appendFileSync(name, '3\n');
    renameSync(name, `${name}.1`);
    appendFileSync(`${name}.1`, '4\n');
    writeFileSync(name, 'five\n');
    await until('five\n');
    writeFileSync(name, '6\n');
    await until('6\n');
    await lines.return(undefined);
    expect(seen).to.equal('1\n2\n3\n4\nfive\n6\n');
  });
});
