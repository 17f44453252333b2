import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const gate = fileURLToPath(import.meta.resolve('#quiesce/worker/gate/gate.js'));
const lease = fileURLToPath(import.meta.resolve('#quiesce/worker/process/lease.js'));

/** A process with a gate that is open, under a lease of 150 ms with a grace of 2 s; then what is written here. */
async function run(body: string): Promise<{ code: number | null; signal: string | null; said: string }> {
  const program = `
    import { EventEmitter } from 'node:events';
    import { Gate } from ${JSON.stringify(gate)};
    import { Lease } from ${JSON.stringify(lease)};
    const gate = new Gate(() => {});
    const lease = (gate.lease = new Lease(gate));
    gate.resume(1);
    const clock = () => Number(process.hrtime.bigint()) / 1e6;
    const request = () => {
      const socket = Object.assign(new EventEmitter(), { destroyed: false });
      return gate.tryEnter(Object.assign(new EventEmitter(), { socket, method: 'GET', url: '/' }), new EventEmitter());
    };
    const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    lease.renew(clock() + 150, 2_000);
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
      lease.renew(clock() + 60_000, 0);
      await later(2_500);
      console.log(gate.state);`);
    expect([code, said.trim()]).to.deep.equal([0, 'open']);
  });

  it('lets an idle process live', async () => {
    const { code, said } = await run(`await later(2_600); console.log(gate.state);`);
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
});
