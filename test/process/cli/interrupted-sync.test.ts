import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { quiesce } from '../harness/commands/command.ts';
import { startQuiesce } from '../harness/commands/running-command.ts';
import { useSharedCluster } from '../harness/clusters/shared-cluster.ts';
import { straggler } from '../harness/clients/straggler.ts';

const app = fileURLToPath(new URL('../fixtures/app.js', import.meta.url));

describe('Ctrl-C in quiesce sync', function () {
  this.timeout(60_000);
  const shared = useSharedCluster({ script: app, instances: 2 });

  it('leaves the run alone, and says so with its id; its history can be read when the primary has gone', async () => {
    const { cluster } = shared;
    await writeFile(join(cluster.folder, 'feed.json'), '[{"id":1}]');
    const { end } = await straggler(cluster, 1);
    const command = ['sync', 'feed.json', '--url', cluster.url];
    const sending = startQuiesce(command, { cwd: cluster.folder });
    const { run } = await cluster.until('it drains', (status) => status.run?.state === 'draining');
    sending.child.kill('SIGINT');
    expect(await sending.ended).to.equal(130);
    expect(sending.err()).to.include(`run ${run!.id} goes on`).and.include(`quiesce runs cancel ${run!.id}`);
    await end();
    await cluster.until('the run has ended', (status) => status.run?.state === 'succeeded');

    await cluster.stop();
    const tell = (...more: string[]): ReturnType<typeof quiesce> =>
      quiesce(['runs', ...more, '--data-dir', cluster.dataDir], { cwd: cluster.folder });
    const listed = await tell();
    expect(listed).to.include({ code: 0 });
    expect(listed.out).to.include(run!.id).and.include('succeeded');
    expect(listed.err).to.include('No primary answers');
    expect((await tell(run!.id)).out).to.include('1 inserted');
    expect((await tell('nothing')).code).to.equal(1);
    const logs = await quiesce(['logs', '--pretty', '--data-dir', cluster.dataDir], { cwd: cluster.folder });
    expect(logs.out).to.match(/^\[?\d{4}-\d\d-\d\d .*INFO.*worker 0\.1 serves/m);
  });
});
