import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { OutputRecords, type OutputRecord } from '#quiesce/primary/fleet/process/output-records.js';
import { longestLine } from '#quiesce/primary/fleet/process/worker-output.js';

function recordsOf(...lines: readonly string[]): OutputRecord[] {
  const written: OutputRecord[] = [];
  const records = new OutputRecords((record) => void written.push(record));
  for (const line of lines) records.add('stderr', line, false);
  records.flush();
  return written;
}

const stack = ['Error: boom', '    at one (/app.js:1:7)', '    at two (/app.js:9:1) {', "  code: 'EBOOM'", '}'];

describe('what a worker writes', () => {
  it('is one record at level error where it is a stack, whole', () => {
    expect(recordsOf(...stack)).to.deep.equal([
      { stream: 'stderr', level: 'error', text: stack.join('\n'), isCut: false },
    ]);
  });

  it('keeps what Node writes before the stack of an uncaught error with it', () => {
    const lines = ['file:///app.js:3', "throw new Error('boom');", '      ^', '', ...stack];
    const [first, ...others] = recordsOf(...lines, '', 'Node.js v24.0.0');
    expect(first).to.include({ level: 'error', text: lines.join('\n') });
    expect(others.map(({ text }) => text)).to.deep.equal(['', 'Node.js v24.0.0']);
  });

  it('is one record for each line that belongs to no stack, at level warn', () => {
    expect(recordsOf('one', 'two').map(({ level, text }) => [level, text])).to.deep.equal([
      ['warn', 'one'],
      ['warn', 'two'],
    ]);
  });

  it('does not join two errors, nor a line that comes after one', () => {
    const texts = recordsOf(...stack, ...stack, 'after').map(({ text }) => text);
    expect(texts).to.deep.equal([stack.join('\n'), stack.join('\n'), 'after']);
  });

  it('comes in order: what is on stderr before what follows it on stdout', () => {
    const written: OutputRecord[] = [];
    const records = new OutputRecords((record) => void written.push(record));
    records.add('stderr', 'first', false);
    records.add('stdout', 'second', false);
    expect(written.map(({ stream, level, text }) => [stream, level, text])).to.deep.equal([
      ['stderr', 'warn', 'first'],
      ['stdout', 'info', 'second'],
    ]);
  });

  it('is written soon where nothing follows', async () => {
    const written: OutputRecord[] = [];
    new OutputRecords((record) => void written.push(record)).add('stderr', 'alone', false);
    while (written.length === 0) await delay(10);
    expect(written[0]?.text).to.equal('alone');
  });

  it('fills no memory with indented lines, and says where a line goes on', () => {
    const written: OutputRecord[] = [];
    const records = new OutputRecords((record) => void written.push(record));
    const line = ` ${'x'.repeat(1_000)}`;
    for (let count = 0; count < 500; count++) records.add('stderr', line, false);
    expect(written.length).to.be.above(5);
    for (const { text } of written) expect(text.length).to.be.below(longestLine + 100);
    records.add('stdout', 'x'.repeat(longestLine), true);
    expect(written.at(-1)).to.include({ isCut: true, stream: 'stdout' });
  });
});
