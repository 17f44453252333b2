import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { quiesce, type Ended } from '../harness/commands/command.ts';
import { json, linesTo, problemIn, send, type Line } from '../harness/clients/lines.ts';
import { useSharedCluster, useSharedPlainCluster } from '../harness/clusters/shared-cluster.ts';

const app = fileURLToPath(new URL('../fixtures/app.js', import.meta.url));
const plain = fileURLToPath(new URL('../fixtures/plain.js', import.meta.url));
const slots = [0, 1];

describe('a way in during a hold', function () {
  this.timeout(60_000);
  const shared = useSharedCluster({ script: app, instances: slots.length });
  const maintenance = (...args: string[]): Promise<Ended> =>
    quiesce(['maintenance', ...args, '--data-dir', shared.cluster.dataDir], { cwd: shared.cluster.folder });
  let lines: Line[] = [];
  beforeEach(async () => void (lines = await linesTo(shared.cluster.url, slots)));
  afterEach(async () => {
    for (const line of lines) line.close();
    await maintenance('off');
  });
  const statuses = async (headers: Record<string, string> = {}): Promise<number[]> =>
    Promise.all(lines.map(async (line) => (await line.send('/work', { headers })).status));

  async function hold(...args: string[]): Promise<{ link: string; out: string }> {
    const { code, out } = await maintenance('on', ...args);
    expect(code, out).to.equal(0);
    return { link: /^way in: (.*)$/m.exec(out)?.[1] ?? '', out };
  }

  async function cookieBy(link: string): Promise<Record<string, string>> {
    const { status, headers } = await send(link);
    expect([status, headers.location]).to.deep.equal([303, '/']);
    return { Cookie: headers['set-cookie']![0]!.split(';')[0]! };
  }

  it('lets whoever opens the link pass at each worker, until the hold ends', async () => {
    const { cluster } = shared;
    const { link } = await hold('--secret');
    const word = link.split('/').at(-1)!;
    const cookie = await cookieBy(link);
    expect(await statuses(cookie)).to.deep.equal([200, 200]);
    expect(await statuses()).to.deep.equal([503, 503]);
    expect(await statuses({ 'Quiesce-Pass': word })).to.deep.equal([200, 200]);

    const { out } = await hold('--reason', 'still moving');
    expect(out)
      .to.include('there is a way in')
      .and.not.match(/^way in: /m);
    expect(await statuses(cookie)).to.deep.equal([200, 200]);
    const file = join(cluster.dataDir, 'maintenance.json');
    expect((await stat(file)).mode & 0o777).to.equal(0o600);
    expect(await readFile(file, 'utf8')).to.include(word);
    expect((await cluster.status()).holds[0]).to.include({ wayIn: true });
    const told = JSON.stringify(await cluster.status()) + shared.output;
    expect(told).not.to.include(word);
    expect(told).not.to.include(cookie['Cookie']!.split('=')[1]);

    await maintenance('off');
    expect(await readFile(file, 'utf8')).not.to.include(word);
    await hold('--secret', word);
    expect(await statuses(cookie)).to.deep.equal([503, 503]);
  });

  it('is shut for everybody during a run, which waits for what has passed', async () => {
    const { cluster } = shared;
    const cookie = await cookieBy((await hold('--secret')).link);
    const end = join(cluster.folder, 'end');
    const passed = send(`${cluster.url}/straggle?until=${encodeURIComponent(end)}`, { headers: cookie });
    await cluster.until('it is at work', ({ workers }) => workers.some(({ inFlight }) => inFlight === 1));
    const body = JSON.stringify([{ id: 1 }]);
    const put = send(`${cluster.url}/api/sync`, { method: 'PUT', headers: json, body });
    const draining = await cluster.until(
      'it waits',
      ({ phase, waitingFor }) => phase === 'draining' && waitingFor.length > 0,
    );
    expect(draining.waitingFor[0]).to.include({ path: '/straggle' });
    for (const line of lines) {
      const reply = await line.send('/work', { headers: cookie });
      expect([reply.status, problemIn(reply).code]).to.deep.equal([503, 'paused']);
    }
    expect(await shared.database.db.collection('resources').countDocuments()).to.equal(0);
    await writeFile(end, '');
    expect((await passed).status).to.equal(200);
    expect((await put).status).to.equal(204);
    expect(await statuses(cookie)).to.deep.equal([200, 200]);
  });

  it('takes a word that can be guessed for a mistake', async () => {
    expect((await maintenance('on', '--secret', 'short')).code).to.equal(2);
  });
});

describe('the addresses that pass a hold', function () {
  this.timeout(60_000);
  const shared = useSharedPlainCluster({
    script: plain,
    instances: 2,
    env: { WHO: 'me' },
    quiesce: { maintenance: { allow: ['127.0.0.0/8'] } },
  });

  it('pass it in an app without gate() as well, unless a proxy stands before them', async () => {
    const { cluster } = shared;
    await cluster.control.maintenance({ on: true, wait: true });
    expect((await send(cluster.url)).status).to.equal(200);
    expect((await send(cluster.url, { headers: { 'X-Forwarded-For': '127.0.0.1' } })).status).to.equal(503);
    await cluster.control.maintenance({ on: false });
  });
});
