/** An exclusive handler that never ends. */
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { quiesce } from '../harness/commands/command.ts';
import { startQuiesce } from '../harness/commands/running-command.ts';
import { problemIn, send, type Reply } from '../harness/clients/lines.ts';
import { useSharedPlainCluster } from '../harness/clusters/shared-cluster.ts';
import { until } from '../harness/until.ts';

const app = fileURLToPath(new URL('../fixtures/app.js', import.meta.url));

describe('an exclusive run that is stuck', function () {
  this.timeout(60_000);
  const site = useSharedPlainCluster({ script: app, instances: 2 });

  async function stuck(path: string): Promise<{ run: string; pids: (number | null)[]; answer: Promise<unknown> }> {
    const { cluster } = site;
    const answer = send(`${cluster.url}${path}`, { method: 'POST' }).catch((error: unknown) => error);
    const { run } = await cluster.until('it is at work', (status) => status.run?.state === 'running');
    return { run: run!.id, pids: (await cluster.control.status()).workers.map(({ pid }) => pid), answer };
  }

  it('ends when it is cancelled: its worker is replaced, and the others serve on', async () => {
    const { cluster } = site;
    const { run, pids, answer } = await stuck('/alone?ms=600000');
    const { code, out, err } = await quiesce(['runs', 'cancel', run, '--data-dir', cluster.dataDir], {
      cwd: cluster.folder,
    });
    expect(code, err).to.equal(0);
    expect(out).to.contain('failed');
    const { workers } = await cluster.until('it serves', ({ phase }) => phase === 'serving');
    expect(workers.filter(({ pid }) => pids.includes(pid))).to.have.length(1);
    expect((await cluster.control.run(run)).error).to.include({ code: 'run-cancelled' });
    const reply = (await answer) as Reply;
    expect(problemIn(reply)).to.include({ status: 500, code: 'run-cancelled' });
    expect(reply.status).to.equal(500);
    const again = await quiesce(['runs', 'cancel', run, '--data-dir', cluster.dataDir], { cwd: cluster.folder });
    expect(again.code).to.equal(2);
    expect(again.err).to.contain('only a run that is going on can be cancelled');
  });

  it('is named by a reload that waits for it, with how to go on', async () => {
    const { cluster } = site;
    const { run, answer } = await stuck('/alone?ms=600000');
    const reload = startQuiesce(['reload', '--data-dir', cluster.dataDir], { cwd: cluster.folder });
    await until('it is named', () => reload.err().includes(`quiesce runs cancel ${run}`));
    expect(reload.err()).to.contain('POST /alone');
    await cluster.control.cancel(run);
    expect(await reload.ended).to.equal(0);
    await answer;
  });

  it('ends at the timeout of its handler', async () => {
    const { cluster } = site;
    const { run, answer } = await stuck('/alone-for-a-while?ms=600000');
    await cluster.until('it serves', ({ phase }) => phase === 'serving');
    const { error } = await cluster.control.run(run);
    expect(error).to.include({ code: 'run-timeout' });
    expect(error?.detail).to.contain('500 ms');
    expect(problemIn((await answer) as Reply)).to.include({ code: 'run-timeout', detail: error?.detail });
  });

  it('is named by a stop that waits for it, with how to go on', async () => {
    const { cluster } = site;
    const { run, answer } = await stuck('/alone?ms=600000');
    const stop = startQuiesce(['stop', '--data-dir', cluster.dataDir], { cwd: cluster.folder });
    await until('it is named', () => stop.err().includes(`quiesce runs cancel ${run}`));
    expect(stop.err()).to.contain('POST /alone');
    await cluster.control.cancel(run);
    expect(await stop.ended).to.equal(0);
    expect(problemIn((await answer) as Reply)).to.include({ code: 'run-cancelled' });
    expect(await cluster.exited).to.deep.equal({ code: 0, signal: null });
  });
});
