/** Word when something goes wrong: a receiver of one's own, and one that is down at first. */
import { createHmac } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { freePort } from '../../../dev/free-port.ts';
import { quiesce } from '../harness/commands/command.ts';
import { usePlainClusters } from '../harness/clusters/clusters.ts';
import { send } from '../harness/clients/lines.ts';
import { startReceiver, type Received, type Receiver } from '../harness/receiver.ts';
import { until } from '../harness/until.ts';

const app = fileURLToPath(new URL('../fixtures/app.js', import.meta.url));
const secret = 'a-secret-of-the-receiver';

const eventsOf = (received: readonly Received[]): unknown[] => received.map(({ headers }) => headers['quiesce-event']);

function isSigned({ headers, body }: Received): boolean {
  const [, at, signature] = /^t=(\d+),v1=(\w+)$/.exec(String(headers['quiesce-signature'])) ?? [];
  return signature === createHmac('sha256', secret).update(`${at}.${body}`).digest('hex');
}

describe('word when something goes wrong', function () {
  this.timeout(120_000);
  const clusters = usePlainClusters();
  const receivers: Receiver[] = [];
  afterEach(async () => void (await Promise.all(receivers.splice(0).map((each) => each.close()))));

  async function receiver(port = 0): Promise<Receiver> {
    const started = await startReceiver(undefined, port);
    receivers.push(started);
    return started;
  }

  it('a failed run and a hold arrive signed; a receiver that is down gets them later, also after a restart', async () => {
    const up = await receiver();
    const port = await freePort();
    const late = `http://127.0.0.1:${port}/hook/verysecret`;
    const notify = [
      { url: up.url, secret },
      { url: late, secret, format: 'slack' },
    ];
    const cluster = await clusters.start({ script: app, instances: 1, quiesce: { notify } });
    const test = await quiesce(['notify', 'test', '--data-dir', cluster.dataDir], { cwd: cluster.folder });
    expect(test.code).to.equal(1);
    expect(test.out).to.equal(
      `delivered: json, signed, to http://127.0.0.1:${up.port}/…: HTTP 204\n` +
        `failed: slack, signed, to http://127.0.0.1:${port}/…: ECONNREFUSED\n`,
    );

    expect((await send(`${cluster.url}/alone-for-a-while?ms=600000`, { method: 'POST' })).status).to.not.equal(200);
    await until('the run has ended', () => up.received.length === 2);
    await cluster.control.maintenance({ on: true, reason: 'moving house', wait: true });
    await cluster.control.maintenance({ on: false });
    await until('all have arrived', () => up.received.length === 4);
    expect(eventsOf(up.received)).to.deep.equal(['test', 'run-failed', 'hold-started', 'hold-ended']);
    expect(up.received.every(isSigned)).to.equal(true);
    expect(up.received[2]!.body).to.contain('moving house');

    await cluster.kill();
    const down = await receiver(port);
    cluster.launch();
    await cluster.ready();
    await until('the other has them too', () => down.received.length === 3, { within: 20_000 });
    expect(eventsOf(down.received)).to.deep.equal(['run-failed', 'hold-started', 'hold-ended']);
    expect(down.received.every(isSigned)).to.equal(true);
    expect(JSON.parse(down.received[0]!.body)).to.have.keys('text');
    expect(cluster.output).to.not.contain('verysecret').and.not.contain(secret);
    const again = await quiesce(['notify', 'test', '--data-dir', cluster.dataDir], { cwd: cluster.folder });
    expect(again.code, again.out).to.equal(0);
  });

  it('nothing waits for a receiver that takes a connection and never answers', async () => {
    const stuck = await startReceiver(() => undefined);
    receivers.push(stuck);
    const quiesceSettings = { notify: [{ url: stuck.url }] };
    const cluster = await clusters.start({ script: app, instances: 1, quiesce: quiesceSettings });
    const began = Date.now();
    await cluster.control.maintenance({ on: true, wait: true });
    await cluster.control.maintenance({ on: false });
    await until('it is being told', () => stuck.received.length === 1);
    expect((await send(`${cluster.url}/work`)).status).to.equal(200);
    expect(await cluster.stop()).to.deep.equal({ code: 0, signal: null });
    // A receiver may take 10 s to answer.
    expect(Date.now() - began).to.be.lessThan(9_000);
  });

  it('workers that keep failing, and a primary that was started again, are told', async () => {
    const told = await receiver();
    const notify = [{ url: told.url, events: ['crash-loop', 'primary-restarted'] }];
    const cluster = await clusters.start({
      script: app,
      instances: 1,
      keeper: true,
      app: { max_restarts: 0 },
      quiesce: { notify },
    });
    const { pid, workers } = await cluster.control.status();
    process.kill(workers[0]!.pid!, 'SIGKILL');
    await until('the loop is told', () => told.notices.length === 1);
    process.kill(pid, 'SIGKILL');
    await until('the restart is told', () => told.notices.length === 2, { within: 30_000 });
    expect(eventsOf(told.notices)).to.deep.equal(['crash-loop', 'primary-restarted']);
  });
});
