import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import fc from 'fast-check';
import { longestLine, WorkerOutput } from '#quiesce/primary/fleet/process/worker-output.js';

/** What becomes of these chunks, written to stdout one by one. */
async function linesOf(chunks: Buffer[], cuts: boolean[] = []): Promise<string[]> {
  const stdout = new PassThrough();
  const lines: string[] = [];
  new WorkerOutput({ stdout, stderr: null }, (_stream, line, isCut) => {
    lines.push(line);
    cuts.push(isCut);
  });
  for (const chunk of chunks) stdout.write(chunk);
  stdout.end();
  await once(stdout, 'close');
  return lines;
}

describe('worker output', () => {
  it('gives every line once and whole, wherever the pipe cuts', async () => {
    const text = fc.array(fc.string({ unit: 'grapheme' }).map((line) => line.replaceAll(/[\r\n]/g, '')));
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.integer({ min: 1, max: 7 })), async (lines, cuts) => {
        const all = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const chunks: Buffer[] = [];
        let at = 0;
        for (const cut of cuts) chunks.push(all.subarray(at, (at += cut)));
        chunks.push(all.subarray(at));
        expect(await linesOf(chunks.filter((chunk) => chunk.length > 0))).to.deep.equal(lines);
      }),
      { numRuns: 200 },
    );
  });

  it('keeps a last line that no newline ends', async () => {
    expect(await linesOf([Buffer.from('one\ntw'), Buffer.from('o')])).to.deep.equal(['one', 'two']);
  });

  it('keeps it where the pipe is destroyed, as with a process that is killed', async () => {
    const stderr = new PassThrough();
    const lines: string[] = [];
    const output = new WorkerOutput({ stdout: null, stderr }, (stream, line) => lines.push(`${stream} ${line}`));
    stderr.write('half a li');
    await new Promise(setImmediate);
    stderr.destroy();
    await once(stderr, 'close');
    expect(lines).to.deep.equal(['stderr half a li']);
    expect(output.lastWords).to.equal('half a li');
  });

  it('cuts a line without an end in pieces, loses nothing of it, and marks each but the last', async () => {
    const cuts: boolean[] = [];
    const lines = await linesOf(
      Array.from({ length: 30 }, () => Buffer.alloc(10_000, 'x')),
      cuts,
    );
    expect(Math.max(...lines.map((line) => line.length))).to.equal(longestLine);
    expect(lines.join('').length).to.equal(300_000);
    expect(cuts).to.deep.equal([...lines.slice(1).map(() => true), false]);
  });

  it('reads the line ends of Windows', async () => {
    expect(await linesOf([Buffer.from('one\r\ntwo\r\n')])).to.deep.equal(['one', 'two']);
  });
});
