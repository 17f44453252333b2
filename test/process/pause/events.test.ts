/** What each worker of a cluster hears of a pause, and that its caches are empty when its gate opens. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { useClusters } from '../harness/clusters/clusters.ts';
import { blockedAtFence, lockFence } from '../harness/mongodb/fence-lock.ts';
import { json, linesTo, problemIn, send, type Reply } from '../harness/clients/lines.ts';
import { until } from '../harness/until.ts';

const script = fileURLToPath(new URL('../fixtures/events-app.js', import.meta.url));

interface Heard {
  readonly slot: number;
  readonly pid: number;
  readonly what: string;
  readonly paused: boolean;
  readonly [more: string]: unknown;
}

describe('what workers hear of a pause', function () {
  this.timeout(60_000);
  const clusters = useClusters();
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'quiesce-events-'));
    file = join(folder, 'heard');
    writeFileSync(file, '');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const heard = (): Heard[] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Heard);
  const of = (slot: number): string[] => heard().flatMap((each) => (each.slot === slot ? [each.what] : []));
  const options = (quiesce: object = {}): Parameters<typeof clusters.start>[0] => ({
    script,
    env: { HEARD: file, MONGODB_URI: clusters.database.uri, DB: clusters.database.name },
    quiesce: { mongodb: { uri: clusters.database.uri, db: clusters.database.name }, ...quiesce },
  });
  const put = (url: string, feed: object[]): Promise<Reply> =>
    send(`${url}/api/sync`, { method: 'PUT', headers: json, body: JSON.stringify(feed) });

  it('is the pause, what was mirrored before anything is served, and the resume; a run under a hold is told at once', async () => {
    const cluster = await clusters.start(options());
    const lines = await linesTo(cluster.url, [0, 1], '/cached');
    for (const line of lines) expect((await line.send('/cached')).text).to.equal('[]');
    expect((await put(cluster.url, [{ id: 'a' }, { id: 'b' }])).status).to.equal(204);
    for (const line of lines) {
      const { status, text } = await line.send('/cached');
      expect([status, text], `worker ${line.slot}, once the client has its answer`).to.deep.equal([200, '["a","b"]']);
    }
    for (const slot of [0, 1]) {
      expect(of(slot)).to.deep.equal(['pause', 'stopped', 'mirrored', 'resume', 'started']);
      const [pause, , mirrored, resume] = heard().filter((each) => each.slot === slot);
      expect(pause).to.deep.include({ kinds: ['sync'], paused: true });
      expect(mirrored).to.deep.include({
        collection: 'resources',
        outcome: 'succeeded',
        keys: ['a', 'b'],
        paused: true,
        counts: { inserted: 2, updated: 0, deleted: 0, unchanged: 0 },
      });
      expect(resume).to.deep.include({ paused: false });
    }
    // The same feed changes nothing, so nothing is paused and nothing told.
    expect((await put(cluster.url, [{ id: 'a' }, { id: 'b' }])).status).to.equal(204);
    expect(heard()).to.have.lengthOf(10);
    await cluster.control.maintenance({ on: true, wait: true });
    expect((await put(cluster.url, [{ id: 'a' }])).status).to.equal(204);
    await until('both have heard of it under the hold', () => of(0).length + of(1).length === 16);
    await cluster.control.maintenance({ on: false });
    await until('both serve', () => of(0).length + of(1).length === 20);
    expect(of(1).slice(5)).to.deep.equal(['pause', 'stopped', 'mirrored', 'resume', 'started']);
    for (const line of lines) line.close();
  });

  it('keeps a drain waiting for what an app stops, which a report names, and the site serves after that', async () => {
    const cluster = await clusters.start(options({ maintenance: { drain_timeout: 2_000 } }));
    const [line] = await linesTo(cluster.url, [1], '/cached');
    await line!.send('/stick?on=true', { method: 'POST' });
    const refused = problemIn(await put(cluster.url, [{ id: 'a' }]));
    expect(refused).to.include({ status: 503, code: 'drain-timeout' });
    expect(refused['detail']).to.match(/Still in flight: onPause the queue in worker 1 \(\d+ ms\)\./);
    expect(refused['waitingFor']).to.have.lengthOf(1);
    expect((await line!.send('/cached')).status).to.equal(200);
    await line!.send('/stick?on=false', { method: 'POST' });
    await until('it has stopped, and starts again', () => of(1).includes('started'));
    expect((await put(cluster.url, [{ id: 'a' }])).status).to.equal(204);
    expect(of(1)).to.deep.equal([
      'pause',
      'resume',
      'stopped',
      'started',
      'pause',
      'stopped',
      'mirrored',
      'resume',
      'started',
    ]);
    line!.close();
  });

  it('is a run that was rolled forward after a crash as well', async () => {
    const cluster = await clusters.start(options());
    const unlock = await lockFence(clusters.database);
    const sent = put(cluster.url, [{ id: 'a' }]).catch(() => null);
    await until('it waits to write', () => blockedAtFence(clusters.database));
    await cluster.kill();
    await sent;
    writeFileSync(file, '');
    cluster.launch();
    await cluster.until(
      'its workers wait',
      ({ workers }) => workers.every(({ state }) => state === 'quiesced'),
      20_000,
    );
    await until('they have heard of the pause', () => of(0).length === 2 && of(1).length === 2);
    await unlock();
    await cluster.until('it serves', ({ phase }) => phase === 'serving', 20_000);
    await until('they have heard of all', () => of(0).length === 5 && of(1).length === 5);
    expect(of(0)).to.deep.equal(['pause', 'stopped', 'mirrored', 'resume', 'started']);
    const told = heard().find(({ what }) => what === 'mirrored');
    expect(told).to.deep.include({ outcome: 'succeeded', keys: null, paused: true });
  });
});
