import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { devNull } from 'node:os';
import { expect } from 'chai';
import { VitalsSampler } from '#quiesce/primary/fleet/health/vitals.js';

/** The files of /proc that this process has open. */
function openProcFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const file = readlinkSync(`/proc/self/fd/${fd}`);
      return /^\/proc\/\d+\/stat$/.test(file) && !file.includes(`/${process.pid}/`) ? [file] : [];
    } catch {
      return [];
    }
  });
}

describe('vitals', () => {
  const children: ChildProcess[] = [];
  let sampler: VitalsSampler | undefined;
  afterEach(() => {
    sampler?.stop();
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  /** A process that does nothing but be there. */
  function idle(): number {
    const child = fork(devNull, { execArgv: ['-e', 'setInterval(() => {}, 1000)'], stdio: 'ignore' });
    children.push(child);
    return child.pid!;
  }

  function sampled(pids: () => readonly number[], wanted: (sampler: VitalsSampler) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const made = new VitalsSampler(20, pids, () => {
        if (wanted(made)) resolve();
      });
      sampler = made;
      made.start();
    });
  }

  it('tell memory, and what a busy process takes of the processor', async () => {
    await sampled(
      () => [process.pid],
      (made) => {
        for (const until = performance.now() + 15; performance.now() < until;);
        const { cpu, memory } = made.of(process.pid);
        return cpu > 10 && memory > 10 * 1024 * 1024;
      },
    );
  });

  it('go on for the others when a process has gone, or all have', async () => {
    const [first, second] = [idle(), idle()];
    let pids = [first, second];
    await sampled(
      () => pids,
      (made) => made.of(first).memory > 0 && made.of(second).memory > 0,
    );
    sampler!.stop();
    children[0]!.kill('SIGKILL');
    await once(children[0]!, 'exit');
    await sampled(
      () => pids,
      (made) => made.of(first).memory === 0 && made.of(second).memory > 0,
    );
    sampler!.stop();
    pids = [first];
    let samples = 0;
    await sampled(
      () => pids,
      () => ++samples === 3,
    );
  });

  it('leave no file of a process open that has gone', async function () {
    this.timeout(20_000);
    const pid = idle();
    let pids = [pid];
    await sampled(
      () => pids,
      (made) => made.of(pid).memory > 0,
    );
    expect(openProcFiles()).to.include(`/proc/${pid}/stat`);
    pids = [];
    children[0]!.kill('SIGKILL');
    await once(children[0]!, 'exit');
    for (const until = Date.now() + 15_000; openProcFiles().includes(`/proc/${pid}/stat`);) {
      if (Date.now() > until) throw new Error('it is still open');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });
});
