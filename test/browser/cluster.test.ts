import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Traffic } from '../../dev/demo/traffic.ts';
import type { Cluster } from '../../dev/cluster/cluster.ts';
import { freePort } from '../../dev/free-port.ts';
import { lockFence } from '../process/harness/mongodb/fence-lock.ts';
import { useClusters } from '../process/harness/clusters/clusters.ts';
import { straggler } from '../process/harness/clients/straggler.ts';
import { until } from '../process/harness/until.ts';
import { useBrowser } from './harness/chromium.ts';
import { giveToken, shows, text } from './harness/reading.ts';
import { picture } from './harness/screenshots.ts';

const script = fileURLToPath(new URL('./fixtures/shop.js', import.meta.url));
const items = 1_500;

describe('the page of a real cluster under load', function () {
  this.timeout(120_000);
  const browsing = useBrowser();
  const clusters = useClusters();
  let traffic: Traffic | undefined;
  afterEach('the visitors went', async () => traffic?.stop());

  const open = async (): Promise<{ cluster: Cluster; page: Page }> => {
    const port = await freePort();
    const cluster = await clusters.start({ script, instances: 3, app: { name: 'shop' }, quiesce: database({ port }) });
    traffic = new Traffic(cluster.url, 12);
    const page = await browsing.open(`http://127.0.0.1:${port}/`);
    await giveToken(page, readFileSync(join(cluster.dataDir, 'admin.token'), 'utf8').trim());
    await shows(page, '#phase', 'Serving');
    return { cluster, page };
  };
  const database = (admin: object): Record<string, unknown> => {
    const { uri, name } = clusters.database;
    return { admin, mongodb: { uri, db: name }, maintenance: { drain_timeout: '60s' } };
  };
  const outcomes = (): Set<number | string> => new Set(traffic!.visits.map(({ outcome }) => outcome));

  it('shows a whole run: what it waits for, that nothing runs, what it wrote', async () => {
    const { cluster, page } = await open();
    const slow = await straggler(cluster, 1);
    const unlock = await lockFence(clusters.database);
    const body = JSON.stringify(Array.from({ length: items }, (_, id) => ({ id, name: `item ${id}` })));
    const headers = { 'Content-Type': 'application/json', Prefer: 'return=representation' };
    const run = fetch(`${cluster.url}/api/sync`, { method: 'PUT', headers, body });
    await shows(page, '#phase', 'Draining');
    await shows(page, '#waiting-rows', /GET \/straggle/);
    await shows(page, '#holds', 'mirror run');
    await picture(page, 'draining');
    await slow.end();
    await shows(page, '#phase', 'Paused');
    await shows(page, '#run-steps li[aria-current]', /compare|write/);
    await picture(page, 'running');
    await unlock();
    expect((await run).status).to.equal(200);
    await shows(page, '#phase', 'Serving');
    await shows(page, '#run-rows', /succeeded[^]*1\u202f500[^]*1\u202f500 new/);
    await page.locator('#run-rows button').first().click();
    await shows(page, '#run-rows .report', /1\u202f500 inserted, 0 updated, 0 deleted/);
    await page.locator('#run').waitFor({ state: 'hidden' });
    await shows(page, '#pause-rows', /mirror run/);
    await picture(page, 'serving');
    await traffic!.stop();
    expect([...outcomes()].filter((outcome) => outcome !== 200 && outcome !== 503)).to.deep.equal([]);
  });

  it('holds and resumes it', async () => {
    const { cluster, page } = await open();
    await page.locator('#hold').click();
    await page.locator('#hold-reason').fill('Replacing the disk of db-2');
    await page.locator('#hold-for').selectOption('30m');
    await page.getByRole('dialog').getByRole('button', { name: 'Hold' }).click();
    await shows(page, '#phase', 'Paused');
    const refused = await fetch(`${cluster.url}/orders`, { headers: { Accept: 'text/html' } });
    expect([refused.status, await refused.text()].join(' ')).to.match(/^503 [^]*Replacing the disk of db-2/);
    await shows(page, '#phase-detail', /requests refused so far/);
    await picture(page, 'held');
    expect((await cluster.status()).holds[0]).to.include({ kind: 'operator', reason: 'Replacing the disk of db-2' });
    await page.locator('#resume').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
    await shows(page, '#phase', 'Serving');
    expect((await fetch(`${cluster.url}/orders`)).status).to.equal(200);
  });

  it('reloads it without a failed request, and changes the number of workers', async () => {
    const { cluster, page } = await open();
    const old = (await cluster.status()).workers.map(({ pid }) => `pid ${pid}`);
    await page.locator('#reload').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Reload' }).click();
    await shows(page, '#worker-rows', 'starting');
    await picture(page, 'reload');
    await page.locator('#notices').getByText('Every worker has been replaced').waitFor({ timeout: 60_000 });
    const isNew = async (): Promise<boolean> => {
      const rows = await text(page, '#worker-rows');
      return old.every((pid) => !rows.includes(pid));
    };
    await until('the old ones are gone from the table', isNew);
    await traffic!.stop();
    expect([...outcomes()]).to.deep.equal([200]);
    await page.locator('#scale').click();
    await page.locator('#scale-instances').fill('2');
    await page.getByRole('dialog').getByRole('button', { name: 'Scale' }).click();
    await shows(page, '#tiles', /2 of 2/);
  });

  it('says so when its primary is killed, and goes on by itself when there is one again', async () => {
    const { cluster, page } = await open();
    browsing.allow(/ERR_|Failed to load/);
    await cluster.kill();
    await shows(page, '#phase', /^No data since \d\d:\d\d:\d\d$/);
    expect(await page.title()).to.equal('No data · shop');
    await picture(page, 'gone');
    cluster.launch();
    await cluster.ready();
    await shows(page, '#phase', 'Serving');
    await shows(page, '#tiles', /3 of 3/);
    await shows(page, '#instance', `primary ${cluster.pid}`);
    await shows(page, '#log-lines', 'is ready');
    await traffic!.stop();
  });
});
