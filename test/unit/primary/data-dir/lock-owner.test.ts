import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { describeProcess, isAtWork, lifeOf } from '#quiesce/primary/data-dir/lock-owner.js';
import { until } from '../../../process/harness/until.ts';

describe('whether a recorded process lives', () => {
  it('is no for one that has ended and that nobody has reaped, as in a container without an init', async () => {
    const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const [line] = (await once(parent.stdout, 'data')) as [Buffer];
      const pid = Number(String(line));
      const record = describeProcess(pid);
      expect([lifeOf(record), isAtWork(record)]).to.deep.equal(['alive', true]);
      process.kill(pid, 'SIGKILL');
      await until('it has ended', () => lifeOf(record) === 'dead');
      process.kill(pid, 0); // it is there all the same: its pid is not free
      expect(isAtWork(record)).to.equal(false);
    } finally {
      parent.kill('SIGKILL');
    }
  });
});
