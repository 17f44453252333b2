import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import pino from 'pino';
import { OutputFiles, outputFile } from '#quiesce/primary/log/output-files.js';

describe('out_file and error_file', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'quiesce-output-'))));
  afterEach(() => rm(folder, { recursive: true }));

  const silent = pino({ level: 'silent' });
  const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');
  const open = (settings: { mergeLogs?: boolean; logDateFormat?: string } = {}, log = silent): OutputFiles =>
    new OutputFiles(
      {
        outFile: join(folder, 'deep/out.log'),
        errorFile: join(folder, 'err.log'),
        mergeLogs: false,
        logDateFormat: null,
        ...settings,
      },
      log,
    );

  for (const [configured, merge, slot, expected] of [
    ['/var/out.log', false, 2, '/var/out-2.log'],
    ['/var/out-7.log', false, 2, '/var/out-2.log'],
    ['/var/out.log', true, 2, '/var/out.log'],
    ['/var/out.txt', false, 2, '/var/out.txt'],
    ['/dev/null', false, 2, '/dev/null'],
  ] as const) {
    it(`${configured} of slot ${slot}${merge ? ', merged,' : ''} is ${expected}, as with PM2`, () =>
      expect(outputFile(configured, merge, slot)).to.equal(expected));
  }

  it('hold a line whole that comes in pieces, with one date', async () => {
    const files = open({ logDateFormat: 'YYYY' });
    files.write(0, 'stdout', 'one,', true);
    files.write(0, 'stderr', 'other');
    files.write(0, 'stdout', 'two');
    files.write(0, 'stdout', 'three');
    await files.close();
    expect(await read('deep/out-0.log')).to.match(/^\d{4}: one,two\n\d{4}: three\n$/);
  });

  it('hold the lines as they were written, one file for each slot', async () => {
    const files = open();
    files.write(0, 'stdout', 'one');
    files.write(1, 'stdout', 'two');
    files.write(0, 'stderr', 'three');
    await files.close();
    expect([await read('deep/out-0.log'), await read('deep/out-1.log'), await read('err-0.log')]).to.deep.equal([
      'one\n',
      'two\n',
      'three\n',
    ]);
  });

  it('carry the date where log_date_format says how', async () => {
    const files = open({ logDateFormat: 'YYYY', mergeLogs: true });
    files.write(0, 'stderr', 'boo');
    await files.close();
    expect(await read('err.log')).to.equal(`${new Date().getFullYear()}: boo\n`);
  });

  it('lose nothing when they are moved away and reopened', async () => {
    const files = open({ mergeLogs: true });
    for (let i = 0; i < 1_000; i++) files.write(0, 'stderr', `before ${i}`);
    await rename(join(folder, 'err.log'), join(folder, 'err.log.1'));
    files.reopen();
    for (let i = 0; i < 1_000; i++) files.write(0, 'stderr', `after ${i}`);
    await files.close();
    const lines = ((await read('err.log.1')) + (await read('err.log'))).trim().split('\n');
    expect(lines).to.have.length(2_000);
    expect(lines.at(-1)).to.equal('after 999');
  });

  it('that cannot be written are told once, and nothing else stops', async () => {
    await writeFile(join(folder, 'deep'), 'a file where a folder should be');
    const told: string[] = [];
    const files = open({}, pino({}, { write: (line: string) => void told.push(line) }));
    for (let i = 0; i < 3; i++) files.write(0, 'stdout', 'lost');
    files.write(0, 'stderr', 'kept');
    await files.close();
    expect(told).to.have.length(1);
    expect(told[0]).to.match(/out-0\.log cannot be written/);
    expect(await read('err-0.log')).to.equal('kept\n');
  });

  it('are begun when what was in their way has gone', async () => {
    await writeFile(join(folder, 'deep'), 'a file where a folder should be');
    const outFile = join(folder, 'deep/out.log');
    const files = new OutputFiles({ outFile, errorFile: null, mergeLogs: true, logDateFormat: null }, silent, 0);
    files.write(0, 'stdout', 'lost');
    await rm(join(folder, 'deep'));
    files.write(0, 'stdout', 'kept');
    await files.close();
    expect(await read('deep/out.log')).to.equal('kept\n');
  });
});
