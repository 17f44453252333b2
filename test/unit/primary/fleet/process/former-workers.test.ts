import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import pino from 'pino';
import { describeProcess, lifeOf } from '#quiesce/primary/data-dir/lock-owner.js';
import { endFormerWorkers, recordWorkers } from '#quiesce/primary/fleet/process/former-workers.js';
import { scratchFolders } from '../../../scratch.ts';

describe('the workers of a former primary', () => {
  const scratch = scratchFolders();
  const log = pino({ level: 'silent' });
  const { kill } = process;
  afterEach(() => {
    process.kill = kill;
  });

  it('may end in the very moment in which they are to be killed', async function () {
    if (describeProcess(process.pid).startTime === null) this.skip();
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' });
    await once(child, 'spawn');
    const file = join(scratch(), 'workers.json');
    writeFileSync(file, JSON.stringify([describeProcess(child.pid!)]));
    const asked: unknown[] = [];
    process.kill = (pid, signal) => {
      if (signal !== 'SIGKILL') return kill.call(process, pid, signal);
      asked.push(pid);
      kill.call(process, pid, signal);
      throw Object.assign(new Error('kill ESRCH'), { code: 'ESRCH' });
    };
    await endFormerWorkers(file, log);
    expect(asked).to.deep.equal([child.pid]);
  });

  it('are left alone, and stay on record, while their primary finishes what is in flight', async () => {
    const children = [0, 1].map(() =>
      spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' }),
    );
    try {
      await Promise.all(children.map((child) => once(child, 'spawn')));
      const [spared, left] = children.map(({ pid }) => describeProcess(pid!));
      const file = join(scratch(), 'workers.json');
      writeFileSync(
        file,
        JSON.stringify([
          { ...spared, primary: 7 },
          { ...left, primary: 8 },
        ]),
      );
      const found = await endFormerWorkers(file, log, [7]);
      expect(found.map(({ pid }) => pid)).to.deep.equal([spared!.pid]);
      expect(lifeOf(spared!)).to.equal('alive');
      expect(lifeOf(left!)).to.equal('dead');

      const events = { forked: () => {}, message: () => {}, gone: () => {} };
      const recorded = recordWorkers(events, file, log, () => found);
      await recorded.restore();
      expect(readFileSync(file, 'utf8')).to.equal(`${JSON.stringify(found)}\n`);
      await recorded.suspend();
      writeFileSync(file, 'of the next primary');
      recorded.gone({ slot: 0, incarnation: 1 }, { cause: 'planned', code: 0, signal: null });
      await recorded.flush();
      expect(readFileSync(file, 'utf8')).to.equal('of the next primary');
      recorded.resume();
      await recorded.flush();
      expect(readFileSync(file, 'utf8'), 'there is no next one').to.equal(`${JSON.stringify(found)}\n`);
    } finally {
      for (const child of children) child.kill('SIGKILL');
    }
  });
});
