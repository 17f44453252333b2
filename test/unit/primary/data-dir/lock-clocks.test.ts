import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { identify } from '#quiesce/primary/data-dir/held-lock.js';
import { acquireLock } from '#quiesce/primary/data-dir/lock.js';
import { describeProcess, ownerFile } from '#quiesce/primary/data-dir/lock-owner.js';
import { scratchFolders } from '../../scratch.ts';

const hour = 3_600_000;

describe('a lock while a clock jumps', function () {
  this.timeout(20_000);
  const scratch = scratchFolders();
  const { now } = Date;
  const { uptime } = os;
  afterEach(() => {
    Date.now = now;
    os.uptime = uptime;
  });

  it('that is ending is waited for as long as ever where the wall clock is set back', async () => {
    const dataDir = scratch();
    mkdirSync(path.join(dataDir, 'primary.lock'));
    const { id } = identify(dataDir)!;
    // Its holder is alive (the parent of this process), the keeper of its holder is dead.
    const keeper = { pid: process.ppid, startTime: 'of another process' };
    const owner = { ...describeProcess(process.ppid), lock: id, since: new Date().toISOString(), keeper };
    writeFileSync(ownerFile(dataDir), JSON.stringify(owner));
    const refused = acquireLock(dataDir, { lost: () => {} }, 500).catch((error: unknown) => error);
    Date.now = () => now() - hour;
    expect(await Promise.race([refused, sleep(5_000)])).to.include({ code: 'already-running' });
  });

  /** What its holder hears first after the clocks have jumped and its folder was removed. */
  async function heard(jump: () => void): Promise<string> {
    const dataDir = scratch();
    let hear!: (what: string) => void;
    const first = new Promise<string>((resolve) => (hear = resolve));
    const lock = await acquireLock(
      dataDir,
      {
        lost: hear,
        kept: ({ anew }) => {
          if (anew) hear('made anew');
        },
      },
      5_000,
    );
    jump();
    rmSync(path.join(dataDir, 'primary.lock'), { recursive: true });
    try {
      return await first;
    } finally {
      await lock.release();
    }
  }

  it('is made anew where it was removed and the wall clock is set forward', async () => {
    expect(await heard(() => (Date.now = () => now() + hour))).to.equal('made anew');
  });

  it('is lost where it was removed while the machine slept', async () => {
    expect(await heard(() => (os.uptime = () => uptime() + hour / 1_000))).to.match(/did not run for 360\d s/);
  });
});
