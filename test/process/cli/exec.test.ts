import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { quiesce, type Ended } from '../harness/commands/command.ts';
import { send } from '../harness/clients/lines.ts';
import { isAlive } from '../harness/processes.ts';
import { startQuiesce, type RunningCommand } from '../harness/commands/running-command.ts';
import { useSharedCluster } from '../harness/clusters/shared-cluster.ts';
import { straggler } from '../harness/clients/straggler.ts';
import { SyncClient } from '../harness/clients/sync-client.ts';
import { until } from '../harness/until.ts';

const app = fileURLToPath(new URL('../fixtures/app.js', import.meta.url));

describe('quiesce exec', function () {
  this.timeout(120_000);
  const shared = useSharedCluster({ script: app, instances: 2 });
  const client = new SyncClient(shared);

  const words = (flags: string[], command: string[]): string[] => [
    'exec',
    ...flags,
    '--data-dir',
    shared.cluster.dataDir,
    '--',
    ...command,
  ];
  const exec = (command: string[], ...flags: string[]): Promise<Ended> =>
    quiesce(words(flags, command), { cwd: shared.cluster.folder });
  const begin = (command: string[], ...flags: string[]): RunningCommand =>
    startQuiesce(words(flags, command), { cwd: shared.cluster.folder, input: 'from standard input' });
  const off = async (): Promise<void> => {
    await quiesce(['maintenance', 'off', '--data-dir', shared.cluster.dataDir], { cwd: shared.cluster.folder });
  };
  /** A command that says its pid, and then waits. */
  const waiting = ['node', '-e', 'console.log(process.pid); setInterval(() => {}, 1e6)'];
  async function atWork(run: RunningCommand): Promise<number> {
    await until('the command is at work', () => /^\d+\n/.test(run.out()));
    return Number(run.out());
  }

  it('runs a migration of 2 s while nothing else does, and serves again', async () => {
    const migration = begin(
      ['sh', '-c', 'echo $$; until [ -e go ]; do sleep 0.1; done; cat; sleep 2'],
      '--reason',
      'new columns',
      '--by',
      'ann',
    );
    await atWork(migration);
    const held = await shared.cluster.status();
    expect(held.phase).to.equal('quiesced');
    expect(held.holds.map(({ kind, reason }) => [kind, reason])).to.deep.equal([['exec', 'new columns']]);
    expect((await send(`${shared.cluster.url}/work`)).status).to.equal(503);
    const put = await client.put('[]');
    expect([put.status, JSON.parse(put.text).code]).to.deep.equal([409, 'run-in-progress']);
    const second = await exec(['true']);
    expect(second.code, second.err).to.equal(6);
    expect(second.err).to.include(held.run!.id);
    await writeFile(join(shared.cluster.folder, 'go'), '');
    expect(await migration.ended, migration.err()).to.equal(0);
    expect(migration.out()).to.include('from standard input');
    const { phase, run } = await shared.cluster.status();
    expect([phase, run?.kind, run?.state]).to.deep.equal(['serving', 'exec', 'succeeded']);
  });

  it('ends as the command does, and before a pause where there is none', async () => {
    const failed = await exec(['sh', '-c', 'exit 3']);
    expect(failed.code, failed.err).to.equal(3);
    const { phase, run, epoch } = await shared.cluster.status();
    expect([phase, run?.state, run?.error?.detail]).to.deep.equal(['serving', 'failed', 'The command ended with 3.']);
    expect((await exec(['no-such-command'])).code).to.equal(127);
    expect((await exec(['/dev/null'])).code).to.equal(126);
    expect((await shared.cluster.status()).epoch).to.equal(epoch);
  });

  it('passes signals on, and says by which the command was killed', async () => {
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGHUP', 129],
      ['SIGTERM', 143],
    ] as const) {
      const run = begin(waiting);
      await atWork(run);
      run.child.kill(signal);
      expect(await run.ended, run.err()).to.equal(code);
    }
    const killed = begin(waiting);
    process.kill(await atWork(killed), 'SIGKILL');
    expect(await killed.ended).to.equal(137);
    const { phase, run } = await shared.cluster.status();
    expect([phase, run?.error?.detail]).to.deep.equal(['serving', 'The command was killed by SIGKILL.']);
  });

  it('loses the hold where an operator cancels its run, says so, and waits for its command', async () => {
    const run = begin(waiting);
    const command = await atWork(run);
    const { run: record } = await shared.cluster.status();
    const cancel = ['runs', 'cancel', record!.id, '--data-dir', shared.cluster.dataDir];
    const cancelled = await quiesce(cancel, { cwd: shared.cluster.folder });
    expect(cancelled.code, cancelled.err).to.equal(0);
    await until('it says that the hold is lost', () => run.err().includes('the hold is lost'));
    const after = await shared.cluster.status();
    expect([after.phase, after.run?.state]).to.deep.equal(['serving', 'failed']);
    process.kill(command, 'SIGTERM');
    expect(await run.ended).to.equal(143);
  });

  it('names the request that it has waited for, ends with 6, and the site serves', async () => {
    const { end } = await straggler(shared.cluster, 1);
    const ended = await exec(['true'], '--timeout', '300ms');
    expect(ended.code, ended.err).to.equal(6);
    expect(ended.err).to.include('After 300 ms').and.include('in worker 1');
    expect((await shared.cluster.status()).phase).to.equal('serving');
    await end();
  });

  it('leaves an operator hold as it was', async () => {
    const maintenance = [
      'maintenance',
      'on',
      '--reason',
      'night',
      '--for',
      '10m',
      '--data-dir',
      shared.cluster.dataDir,
    ];
    await quiesce(maintenance, { cwd: shared.cluster.folder });
    const before = await shared.cluster.status();
    expect((await exec(['sh', '-c', 'exit 1'])).code).to.equal(1);
    const after = await shared.cluster.status();
    expect([after.phase, after.holds]).to.deep.equal(['quiesced', before.holds]);
    expect(after.epoch).to.equal(before.epoch + 1);
    await off();
  });

  it('with --keep-on-failure stays held where the command fails or exec itself is killed, also after a kill of the primary', async () => {
    expect((await exec(['true'], '--keep-on-failure')).code).to.equal(0);
    expect((await shared.cluster.status()).phase).to.equal('serving');
    const failed = await exec(['false'], '--keep-on-failure', '--reason', 'new columns');
    expect(failed.code).to.equal(1);
    expect(failed.err).to.include('stays held').and.include('quiesce maintenance off');
    const { holds } = await shared.cluster.status();
    expect(holds.map(({ kind, reason }) => [kind, reason])).to.deep.equal([['operator', 'new columns']]);
    await off();

    const lost = begin(waiting, '--keep-on-failure');
    const orphan = await atWork(lost);
    lost.child.kill('SIGKILL');
    const found = await shared.cluster.until('its run has failed', ({ run }) => run?.state === 'failed');
    expect([found.phase, found.run?.error?.detail]).to.deep.equal([
      'quiesced',
      '`quiesce exec` disconnected before it reported the end of its command. The command may still be running.',
    ]);
    expect(isAlive(orphan)).to.equal(true);
    process.kill(orphan, 'SIGKILL');
    await off();

    for (const [flags, then] of [
      [['--keep-on-failure'], 'quiesced'],
      [[], 'serving'],
    ] as const) {
      const outlives = begin(waiting, ...flags);
      const command = await atWork(outlives);
      await shared.cluster.kill();
      await until('it says that the hold is lost', () => outlives.err().includes('the hold is lost'));
      expect(isAlive(command)).to.equal(true);
      shared.cluster.launch();
      const { phase, run } = await shared.cluster.ready();
      expect([phase, run?.state], flags.join()).to.deep.equal([then, 'failed']);
      outlives.child.kill('SIGTERM');
      expect(await outlives.ended).to.equal(143);
      expect(outlives.err().includes('stays held')).to.equal(flags.length > 0);
      await off();
    }
  });
});
