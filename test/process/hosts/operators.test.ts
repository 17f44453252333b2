import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { QuiesceError } from '#quiesce/errors.js';
import type { ClusterStatus } from '#quiesce/protocol/api/runs.js';
import { send } from '../harness/clients/lines.ts';
import { quiesceCommand } from '../harness/commands/command.ts';
import { useSharedHosts } from '../harness/hosts/shared-hosts.ts';
import { until } from '../harness/until.ts';

describe('operators of several hosts', function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), 'quiesce-'));
  const witness = join(folder, 'witness');
  after(() => rmSync(folder, { recursive: true, force: true }));
  const shared = useSharedHosts(['A', 'B'], { witness, quiesce: { maintenance: { ready_grace: '0s' } } });

  const isQuiesced = ({ phase }: ClusterStatus): boolean => phase === 'quiesced';
  const isAtWork = ({ run }: ClusterStatus): boolean => run?.state === 'running';
  const serves = ({ phase }: ClusterStatus): boolean => phase === 'serving';

  async function statusOf(url: string): Promise<number> {
    const answer = await fetch(url, { headers: { Connection: 'close' } });
    await answer.text();
    return answer.status;
  }

  /** It is at work when this resolves. */
  async function startSlow(url: string, ms: number): Promise<{ slow: Promise<number> }> {
    const begun = (): number => (existsSync(witness) ? readFileSync(witness, 'utf8').split('"begin"').length : 1);
    const before = begun();
    const slow = statusOf(`${url}/work?ms=${ms}`);
    await until('the request is at work', () => begun() > before);
    return { slow };
  }

  it('hold all hosts at any of them, once all are at rest, and any opens them', async () => {
    const { hosts, names } = shared;
    const b = hosts[1]!;
    const { slow } = await startSlow(b.url, 700);
    const on = await shared.command(0, 'maintenance', 'on', '--reason', 'moving', '--by', 'kim', '--for', '5m');
    expect(on.code, on.err).to.equal(0);
    expect(on.out).to.match(/maintenance: on for all hosts .*by kim.*: moving/);
    expect(await slow, 'what was in flight at the other host has been waited for').to.equal(200);
    for (const host of hosts) {
      const { holds, phase, hosts: list } = await host.status();
      expect(phase).to.equal('quiesced');
      expect(holds.map(({ kind, reason, by, allHosts }) => ({ kind, reason, by, allHosts }))).to.deep.equal([
        { kind: 'operator', reason: 'moving', by: 'kim', allHosts: true },
      ]);
      expect(list?.map(({ name, state }) => `${name} ${state}`)).to.have.members(
        names.map((name) => `${name} quiesced`),
      );
      const refused = await send(`${host.url}/work`);
      expect(refused.status).to.equal(503);
      expect(Number(refused.headers['retry-after']), 'not asked for again each second').to.be.above(120);
      expect(await statusOf(`${host.url}/readyz`), 'a load balancer keeps all hosts').to.equal(200);
    }
    const off = await shared.command(1, 'maintenance', 'off');
    expect(off.code, off.err).to.equal(0);
    for (const host of hosts) await host.until('it serves', serves);
  });

  it('let in at every host who has opened the link at one, and nobody in a run of another', async () => {
    const [a, b] = shared.hosts;
    const on = await shared.command(0, 'maintenance', 'on', '--secret');
    expect(on.code, on.err).to.equal(0);
    const opened = await fetch(/^way in: (.*)$/m.exec(on.out)![1]!, { redirect: 'manual' });
    const headers = { Cookie: opened.headers.get('set-cookie')!.split(';')[0]!, Connection: 'close' };
    const statusWith = async (url: string): Promise<number> => (await fetch(`${url}/work`, { headers })).status;
    await b!.until('it is held', isQuiesced);
    expect([await statusWith(a!.url), await statusWith(b!.url)]).to.deep.equal([200, 200]);
    expect(await statusOf(`${b!.url}/work`), 'without the cookie').to.equal(503);
    const end = join(folder, 'end of the run');
    const alone = fetch(`${b!.url}/alone?until=${encodeURIComponent(end)}`, { method: 'POST', headers });
    for (const host of [a!, b!]) {
      await host.until('it knows of the run', ({ holds }) => holds.some(({ kind }) => kind === 'exclusive'));
      expect(await statusWith(host.url), 'in the run').to.equal(503);
    }
    writeFileSync(end, '');
    expect((await alone).status).to.equal(200);
    for (const host of [a!, b!])
      await until('it is the way in again', async () => (await statusWith(host.url)) === 200);
    expect((await shared.command(1, 'maintenance', 'off')).code).to.equal(0);
    for (const host of shared.hosts) await host.until('it serves', serves);
  });

  it('take a hold back where one host does not come to rest in time, and name that host', async () => {
    const { hosts, names } = shared;
    const { slow } = await startSlow(hosts[1]!.url, 5_000);
    const order = { on: true, wait: true, timeout: 300 };
    const error = await hosts[0]!.control.maintenance(order).then(
      () => expect.fail('it was held'),
      (thrown: QuiesceError) => thrown,
    );
    expect(error.code).to.equal('drain-timeout');
    expect(error.message).to.include('the hold was taken back').and.to.include(`Not at rest: ${names[1]}`);
    for (const host of hosts) await host.until('it serves', serves);
    const run = await shared.command(0, 'exec', '--timeout', '300ms', '--', 'true');
    expect(run.code, run.out).to.equal(6);
    expect(run.err, 'a run says it as well').to.include('Not at rest: ').and.to.include(names[1]);
    for (const host of hosts) await host.until('it serves', serves);
    expect(await slow).to.equal(200);
  });

  it('hold one host alone with --here, which a load balancer then leaves out', async () => {
    const [a, b] = shared.hosts;
    expect((await shared.command(0, 'maintenance', 'on', '--here')).code).to.equal(0);
    expect((await a!.status()).phase).to.equal('quiesced');
    expect(await statusOf(`${a!.url}/readyz`)).to.equal(503);
    expect((await b!.status()).phase).to.equal('serving');
    expect(await statusOf(`${b!.url}/work`)).to.equal(200);
    // The run of another host needs no word of an operator here: its gates are shut already.
    expect((await fetch(`${b!.url}/alone`, { method: 'POST' })).status).to.equal(200);
    expect((await shared.command(0, 'maintenance', 'off', '--here')).code).to.equal(0);
    await a!.until('it serves', serves);
  });

  it('hold all by SIGUSR2, and open them by another', async () => {
    const [a, b] = shared.hosts;
    a!.signal('SIGUSR2');
    for (const host of shared.hosts) await host.until('it is held', isQuiesced);
    b!.signal('SIGUSR2');
    for (const host of shared.hosts) await host.until('it serves', serves);
  });

  it('let a hold of all begin at a time and end by itself', async () => {
    const at = new Date(Date.now() + 1_500).toISOString();
    const answer = await shared.hosts[0]!.control.maintenance({ on: true, at, for: 1_000, reason: 'later' });
    expect(answer.scheduled).to.include({ at, reason: 'later' });
    await shared.hosts[1]!.until('the other host knows', ({ scheduled }) => scheduled?.at === at);
    for (const host of shared.hosts) await host.until('it is held', isQuiesced);
    for (const host of shared.hosts) await host.until('it serves', serves);
  });

  it('are told where MongoDB cannot be reached, and hold this host alone', async () => {
    await shared.proxy.goAway();
    try {
      const on = await shared.command(1, 'maintenance', 'on');
      expect(on.code, on.out).to.equal(6);
      expect(on.err).to.include('cannot reach the other hosts').and.to.include('--here');
      expect((await shared.command(1, 'maintenance', 'on', '--here')).code).to.equal(0);
      expect((await shared.command(1, 'maintenance', 'off', '--here')).code).to.equal(0);
    } finally {
      await shared.proxy.comeBack();
    }
    for (const host of shared.hosts) await host.until('it serves', serves, 20_000);
  });

  it('run a command while all hosts are at rest, and its failure keeps all of them held', async () => {
    const [a, b] = shared.hosts;
    const done = await shared.command(
      0,
      'exec',
      '--',
      process.execPath,
      '-e',
      `
      fetch('${b!.url}/work').then((answer) => process.exit(answer.status === 503 ? 0 : 1));`,
    );
    expect(done.code, done.err).to.equal(0);
    for (const host of shared.hosts) await host.until('it serves', serves);
    const failed = await shared.command(0, 'exec', '--keep-on-failure', '--reason', 'migration', '--', 'false');
    expect(failed.code).to.equal(1);
    expect(failed.err).to.include('the site stays held');
    for (const host of shared.hosts) {
      const { holds } = await host.until('it is held', ({ holds: list }) =>
        list.some(({ allHosts }) => allHosts === true),
      );
      expect(holds.map(({ reason }) => reason)).to.deep.equal(['migration']);
    }
    expect((await shared.command(1, 'maintenance', 'off')).code).to.equal(0);
    await a!.until('it serves', serves);
  });

  it('keep the hold of a command whose host is taken out, until `off`', async () => {
    const [a, b] = shared.hosts;
    const command = spawn(
      process.execPath,
      [quiesceCommand, 'exec', '--data-dir', b!.dataDir, '--', process.execPath, '-e', 'setTimeout(() => {}, 60_000)'],
      { cwd: b!.folder, stdio: 'ignore' },
    );
    const { run } = await b!.until('it is at work', (status) => status.run?.kind === 'exec' && isAtWork(status));
    await until('the other host knows of it', async () => (await a!.control.runs(20)).some(({ id }) => id === run!.id));
    const refused = await a!.control.cancel(run!.id).then(
      () => expect.fail('it was cancelled'),
      (error: QuiesceError) => error,
    );
    expect(refused.message).to.equal(`Run ${run!.id} is at host ${shared.names[1]}: cancel it there.`);
    await shared.proxy.goAway();
    try {
      const { holds } = await a!.until('its host is out', ({ hosts: list }) => list?.length === 1, 20_000);
      expect(holds.map(({ kind }) => kind)).to.deep.equal(['exec']);
      expect(holds[0]!.reason).to.include('may still be at work');
      expect(await statusOf(`${a!.url}/work`)).to.equal(503);
      const off = await shared.command(0, 'maintenance', 'off');
      expect(off.code, off.err).to.equal(0);
      await a!.until('it serves', serves);
      expect(await statusOf(`${b!.url}/work`), 'its own host stays shut').to.equal(503);
    } finally {
      await shared.proxy.comeBack();
      command.kill();
      await once(command, 'exit');
    }
    await b!.until('its host is back', serves, 20_000);
  });

  it('reload all hosts one after another, up to the first that fails', async () => {
    const { hosts, names } = shared;
    const newest = async (host: number): Promise<number> =>
      Math.max(...(await hosts[host]!.status()).workers.map(({ incarnation }) => incarnation));
    const all = await shared.command(0, 'reload', '--all');
    expect(all.code, all.err).to.equal(0);
    expect(all.out).to.include('reloaded 2 hosts');
    expect([await newest(0), await newest(1)]).to.deep.equal([2, 2]);
    const file = readFileSync(hosts[1]!.configFile);
    writeFileSync(hosts[1]!.configFile, 'no JSON');
    try {
      const failed = await shared.command(0, 'reload', '--all');
      expect(failed.code, failed.out).to.equal(2);
      expect(failed.err).to.include(`Host ${names[1]}`).and.to.include('1 of 2 hosts have the new configuration');
      expect([await newest(0), await newest(1)]).to.deep.equal([3, 2]);
    } finally {
      writeFileSync(hosts[1]!.configFile, file);
    }
  });

  it('list the hosts, and take one out, which joins anew where it is alive', async () => {
    const { names, hosts } = shared;
    const list = await shared.command(0, 'hosts');
    expect(list.out).to.include(names[0]!).and.to.include(names[1]!).and.to.include('this host');
    const asked = await shared.command(0, 'hosts', 'remove', names[1]!);
    expect(asked.code, 'nobody can be asked').to.equal(2);
    expect(asked.err).to.include('--yes');
    expect((await shared.command(0, 'hosts', 'remove', 'nobody', '--yes')).code).to.equal(1);
    expect((await shared.command(0, 'hosts', 'remove', names[0]!, '--yes')).code, 'itself').to.equal(2);
    expect((await shared.command(0, 'hosts', 'remove', names[1]!, '--yes')).code).to.equal(0);
    await hosts[1]!.said(/was taken out of the cluster and joins it again/);
    await until('it is back', async () => (await hosts[0]!.status()).hosts?.length === 2);
  });
});
