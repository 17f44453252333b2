import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { logFile, logFileName, rotatedFiles } from '#quiesce/primary/log/log-file.js';

describe('log file of the data directory', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'quiesce-log-'))));
  afterEach(() => rm(folder, { recursive: true }));

  const noProblem = (error: Error): void => {
    throw error;
  };

  it('is complete when it is closed, and only its user can read it', async () => {
    const file = logFile(folder, noProblem);
    for (let i = 0; i < 5_000; i++) file.write(`${i}\n`);
    await file.close();
    const path = join(folder, logFileName);
    expect((await readFile(path, 'utf8')).split('\n')).to.have.length(5_001);
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
  });

  it('goes on where an earlier primary ended', async () => {
    for (const line of ['one\n', 'two\n']) {
      const file = logFile(folder, noProblem);
      file.write(line);
      await file.close();
    }
    expect(await readFile(join(folder, logFileName), 'utf8')).to.equal('one\ntwo\n');
  });

  it('is rotated, so that its disk space is bounded', async () => {
    const line = `${'x'.repeat(1024 * 1024 - 1)}\n`;
    for (let part = 0; part < 4; part++) {
      // In parts: what waits for the disk is bounded too.
      const file = logFile(folder, noProblem);
      for (let i = 0; i < 12; i++) {
        file.write(line);
        await new Promise(setImmediate);
      }
      await file.close();
    }
    const files = await readdir(folder);
    expect(files).to.include.members([logFileName, `${logFileName}.1`, `${logFileName}.2`]);
    expect(files.length).to.be.at.most(rotatedFiles + 1);
  });

  it('goes on, whole line by whole line, when there is room again', async () => {
    const inTheWay = join(folder, logFileName);
    await mkdir(inTheWay);
    const problems: Error[] = [];
    const file = logFile(folder, (error) => problems.push(error), 0);
    while (problems.length === 0) await new Promise(setImmediate);
    await rm(inTheWay, { recursive: true });
    file.write('kept\n');
    await file.close();
    expect((await readFile(inTheWay, 'utf8')).trim()).to.equal('kept');
    expect(problems).to.have.length(1);
  });

  it('tells once that it cannot be written, and drops', async () => {
    const problems: Error[] = [];
    const file = logFile(join(folder, 'no\0where'), (error) => problems.push(error));
    await new Promise((resolve) => setTimeout(resolve, 20));
    for (let i = 0; i < 3; i++) file.write('x\n');
    await file.close();
    expect(problems).to.have.length(1);
  });
});
