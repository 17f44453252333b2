import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { quiesce, type Ended } from '../harness/commands/command.ts';
import { useSharedPlainCluster } from '../harness/clusters/shared-cluster.ts';
import { usePlainClusters } from '../harness/clusters/clusters.ts';
import { until } from '../harness/until.ts';

const app = fileURLToPath(new URL('../fixtures/plain.js', import.meta.url));

describe('a hold that is scheduled', function () {
  this.timeout(60_000);
  const shared = useSharedPlainCluster({ script: app, instances: 1 });
  const clusters = usePlainClusters();
  const command = (...args: string[]): Promise<Ended> =>
    quiesce([...args, '--data-dir', shared.cluster.dataDir], { cwd: shared.cluster.folder, env: { TZ: 'Asia/Tokyo' } });

  it('is announced in the zone of whoever asks, and ended by off', async () => {
    const { code, out } = await command(
      'maintenance',
      'on',
      '--at',
      '2:00',
      '--for',
      '30m',
      '--reason',
      'night',
      '--by',
      'ops',
    );
    expect(code).to.equal(0);
    expect(out).to.match(
      /^maintenance: off \(serving\)\nscheduled: on from \d{4}-\d\d-\d\d 02:00:00 \(.*T17:00:00\.000Z\), until .* 02:30:00 \(.*\), by ops: night\n$/,
    );
    expect((await command('status')).out).to.include('\nscheduled: on from ');
    const { scheduled, phase } = await shared.cluster.status();
    expect([phase, scheduled?.at.slice(10), scheduled?.until?.slice(10), scheduled?.by]).to.deep.equal([
      'serving',
      'T17:00:00.000Z',
      'T17:30:00.000Z',
      'ops',
    ]);
    await command('maintenance', 'off');
    expect(await shared.cluster.status()).not.to.have.property('scheduled');
    for (const wrong of [
      ['--at', '25:00'],
      ['--at', '2:00', '--timeout', '1s'],
      ['--at', '2001-01-01T00:00'],
    ])
      expect((await command('maintenance', 'on', ...wrong)).code, wrong.join(' ')).to.equal(2);
    const past = shared.cluster.control.maintenance({ on: true, at: '2001-01-01T00:00:00Z' });
    expect(await past.catch((error: unknown) => error)).to.include({ code: 'bad-request' });
  });

  it('begins and ends by itself', async () => {
    const { cluster } = shared;
    const at = new Date(Date.now() + 2_000);
    await cluster.control.maintenance({ on: true, at: at.toISOString(), for: 3_000, reason: 'night' });
    const { holds } = await cluster.until('it is quiesced', ({ phase }) => phase === 'quiesced');
    expect(Date.parse(holds[0]!.since)).to.be.within(at.getTime(), at.getTime() + 2_000);
    expect(holds[0]).to.include({
      kind: 'operator',
      reason: 'night',
      until: new Date(at.getTime() + 3_000).toISOString(),
    });
    await cluster.until('it serves', ({ phase, scheduled }) => phase === 'serving' && scheduled === undefined);
  });

  it('keeps a hold that does not come to rest, and says so', async () => {
    const cluster = await clusters.start({
      script: app,
      instances: 1,
      quiesce: { maintenance: { drain_timeout: 200 } },
    });
    const slow = fetch(`${cluster.url}/?ms=3000`);
    await cluster.control.maintenance({ on: true, at: new Date(Date.now() + 1_000).toISOString() });
    await cluster.said(/has not come to rest in the drain timeout\. It stays, .*GET \/ in worker 0/);
    await slow;
    await cluster.until('it is quiesced', ({ phase }) => phase === 'quiesced');
  });

  it('survives a primary that is killed before, and begins where none was there at its time', async () => {
    const cluster = await clusters.start({ script: app, instances: 1 });
    /** Killed as soon as it is scheduled; started again when the time has passed, unless that is later than soon. */
    const inTime = async (ms: number, lasts: number): Promise<void> => {
      const at = Date.now() + ms;
      await cluster.control.maintenance({ on: true, at: new Date(at).toISOString(), for: lasts });
      await cluster.kill();
      if (ms < 60_000) await until('its time has passed', () => Date.now() > at + 1);
    };
    await inTime(3_600_000, 1_000);
    cluster.launch();
    expect((await cluster.ready()).scheduled, 'still to come').to.not.equal(undefined);
    await inTime(1_500, 60_000);
    cluster.launch();
    const held = await cluster.ready();
    expect([held.phase, held.scheduled]).to.deep.equal(['quiesced', undefined]);
    const stored = async (): Promise<{ operator: object | null; scheduled: object | null }> =>
      JSON.parse(await readFile(join(cluster.dataDir, 'maintenance.json'), 'utf8'));
    await until(
      'what has begun is not begun again by the next primary',
      async () => (await stored()).operator !== null,
    );
    expect((await stored()).scheduled).to.equal(null);
    await cluster.control.maintenance({ on: false });
    await inTime(1_500, 1);
    cluster.launch();
    expect((await cluster.ready()).phase).to.equal('serving');
    await cluster.said(/is dropped: its time passed while no primary was running/);
    await until('nor told of again', async () => (await stored()).scheduled === null);
  });
});
