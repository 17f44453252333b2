import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const gate = fileURLToPath(import.meta.resolve('#quiesce/worker/gate/gate.js'));
const lease = fileURLToPath(import.meta.resolve('#quiesce/worker/process/lease.js'));

/** A process with a gate that is open, under a lease of 500 ms with a grace of 2 s; then what is written here. */
async function run(body: string): Promise<{ code: number | null; signal: string | null; said: string }> {
  const program = `
    import { EventEmitter } from 'node:events';
    import os from 'node:os';
    import { Gate } from ${JSON.stringify(gate)};
    import { Lease } from ${JSON.stringify(lease)};
    const gate = new Gate(() => {});
    const lease = (gate.lease = new Lease(gate));
    const clock = () => Number(process.hrtime.bigint()) / 1e6;
    const request = () => {
      const socket = Object.assign(new EventEmitter(), { destroyed: false });
      return gate.tryEnter(Object.assign(new EventEmitter(), { socket, method: 'GET', url: '/' }), new EventEmitter());
    };
    // A machine that has been suspended: CLOCK_MONOTONIC has stood still, the wall clock and CLOCK_BOOTTIME have not.
    const { uptime } = os;
    const { now } = Date;
    const sleep = (ms) => {
      os.uptime = () => uptime() + ms / 1_000;
      Date.now = () => now() + ms;
    };
    const sleepOffset = () => os.uptime() * 1_000 - clock();
    const renew = (deadline, grace) => lease.renew({ deadline, grace, sleepOffset: sleepOffset() });
    const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    renew(clock() + 500, 2_000);
    gate.resume(1);
    ${body}
    process.exit(0);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { code, signal, said };
}

describe('the lease of a worker', function () {
  this.timeout(20_000);

  it('lets nothing in once it is over, whether or not the event loop has turned since, and shuts the gate', async () => {
    const { said } = await run(`
      const before = request() !== undefined;
      while (clock() < 0 || !lease.isOver());
      console.log(before, request() === undefined, gate.state);`);
    expect(said.trim()).to.equal('true true shut');
  });

  it('goes on while it is renewed, with what is in flight', async () => {
    const { code, said } = await run(`
      request();
      renew(clock() + 60_000, 0);
      await later(3_000);
      console.log(gate.state);`);
    expect([code, said.trim()]).to.deep.equal([0, 'open']);
  });

  it('lets an idle process live', async () => {
    const { code, said } = await run(`await later(3_000); console.log(gate.state);`);
    expect([code, said.trim()]).to.deep.equal([0, 'shut']);
  });

  it('ends the process where something is in flight after the grace', async () => {
    const { signal, said } = await run(`request(); await later(300); console.log('still there'); await later(30_000);`);
    expect([signal, said.trim()]).to.deep.equal(['SIGKILL', 'still there']);
  });

  it('ends a process whose event loop is blocked', async () => {
    const { signal } = await run(`request(); for (;;);`);
    expect(signal).to.equal('SIGKILL');
  });

  it('ends the process where an exclusive handler is at work after the grace', async () => {
    const { signal } = await run(`
      gate.exempt(request());
      gate.beginOfRun();
      await later(30_000);`);
    expect(signal).to.equal('SIGKILL');
  });

  it('waits for an exclusive handler no longer than it is at work, and lets none begin afterwards', async () => {
    const { code, said } = await run(`
      gate.exempt(request());
      const done = gate.beginOfRun();
      await later(1_000);
      done();
      await later(2_000);
      console.log(gate.beginOfRun());`);
    expect([code, said.trim()]).to.deep.equal([0, 'null']);
  });

  it('does not wait for a request whose exclusive run has not begun', async () => {
    const { code } = await run(`gate.exempt(request()); await later(3_000);`);
    expect(code).to.equal(0);
  });

  it('shuts the gate at once where the deadline that it is told has passed', async () => {
    const { said } = await run(`renew(clock() - 1, 60_000); console.log(gate.state);`);
    expect(said.trim()).to.equal('shut');
  });

  it('lets an idle process live, however often its lease is over and good again', async () => {
    const { code } = await run(`
      await later(600);
      for (const end = clock() + 1_500; clock() < end; ) {
        renew(clock() - 1, 0);
        renew(clock() + 60_000, 0);
      }`);
    expect(code).to.equal(0);
  });

  it('has one watchdog, also where it was told of no lease first', async () => {
    const { said } = await run(`
      const { Worker } = await import('node:worker_threads');
      renew(0, 0);
      renew(clock() + 60_000, 0);
      console.log(new Worker('', { eval: true }).threadId);`);
    expect(said.trim(), 'the number of the second thread').to.equal('2');
  });

  it('is over at the first request after a sleep of the machine, however soon that comes by the clock that stood still', async () => {
    const { said } = await run(`
      const before = request() !== undefined;
      sleep(60_000);
      console.log(before, request() === undefined, gate.state);`);
    expect(said.trim()).to.equal('true true shut');
  });

  it('counts a deadline that was told before the machine slept from before', async () => {
    const { said } = await run(`
      const before = sleepOffset();
      sleep(60_000);
      lease.renew({ deadline: clock() + 70_000, grace: 0, sleepOffset: before });
      const long = lease.isOver();
      lease.renew({ deadline: clock() + 50_000, grace: 0, sleepOffset: before });
      console.log(long, lease.isOver());`);
    expect(said.trim()).to.equal('false true');
  });

  it('keeps what a resume that was late would have opened shut', async () => {
    const { said } = await run(`
      renew(clock() - 1, 0);
      gate.resume(2);
      const first = gate.state;
      renew(clock() + 60_000, 0);
      gate.resume(2);
      console.log(first, gate.state);`);
    expect(said.trim()).to.equal('shut open');
  });
});
