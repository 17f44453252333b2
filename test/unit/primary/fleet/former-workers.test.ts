import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import pino from 'pino';
import { describeProcess } from '#quiesce/primary/data-dir/lock-owner.js';
import { endFormerWorkers } from '#quiesce/primary/fleet/former-workers.js';
import { scratchFolders } from '../../scratch.ts';

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
});
