import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { useSharedPlainCluster } from '../harness/clusters/shared-cluster.ts';
import { quiesce } from '../harness/commands/command.ts';

const app = fileURLToPath(new URL('../fixtures/trouble.js', import.meta.url));

describe('a reload where kill_timeout is not set', function () {
  this.timeout(90_000);
  const shared = useSharedPlainCluster({ script: app, instances: 1 });
  const reload = (): ReturnType<typeof quiesce> =>
    quiesce(['reload', '--data-dir', shared.cluster.dataDir], { cwd: shared.cluster.folder });

  /** Opens an event stream, and returns what becomes of it. */
  async function eventStream(): Promise<{ end: Promise<unknown> }> {
    const { body } = await fetch(`${shared.cluster.url}/events`);
    const reader = body!.getReader();
    await reader.read();
    const end = (async () => {
      while (!(await reader.read()).done);
    })();
    return { end: end.catch(() => 'cut off') };
  }

  it('waits for a request that takes longer than the 1.6 s of PM2, and then not for an event stream', async () => {
    const { cluster } = shared;
    const { end: stream } = await eventStream();
    const slow = fetch(`${cluster.url}/?ms=4000`).then(({ status }) => status);
    await cluster.until('both are in flight', ({ workers }) => workers[0]!.inFlight === 2);
    const begun = performance.now();
    const { code, err } = await reload();
    expect([code, await slow, await stream]).to.deep.equal([0, 200, 'cut off']);
    expect(performance.now() - begun).to.be.below(20_000);
    expect(err).to.include('The reload cut off 1 request.');
  });

  it('waits no longer than that for an event stream alone', async () => {
    const { end: stream } = await eventStream();
    const begun = performance.now();
    expect(await reload()).to.include({ code: 0 });
    expect(await stream).to.equal('cut off');
    expect(performance.now() - begun).to.be.below(20_000);
  });
});
