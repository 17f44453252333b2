import { expect } from 'chai';
import type { Page } from 'playwright-core';
import type { RunRecord } from '#quiesce/protocol/api/runs.js';
import type { SourceStatus } from '#quiesce/protocol/api/source-status.js';
import { drawn, leavesItsPanel, overflow, useBrowser, type PageOptions } from './harness/chromium.ts';
import { counts, eventually, linesOf, openUnlocked, shows, text } from './harness/reading.ts';
import { aRun, useFakeSite } from './harness/fake-site.ts';
import { picture } from './harness/screenshots.ts';
import { Tunnel } from './harness/tunnel.ts';

describe('the page', function () {
  this.timeout(120_000);
  const browsing = useBrowser();
  const site = useFakeSite();
  const unlocked = (options?: PageOptions): Promise<Page> => openUnlocked(browsing, site(), options);

  describe('shows', () => {
    it('the phase, numbers, pauses, workers and runs at a glance', async () => {
      const page = await browsing.open(site().url);
      await shows(page, '#phase', 'Serving');
      expect(await page.title()).to.equal('Serving · shop');
      expect(await text(page, '#phase-detail')).to.match(/^since \d\d:\d\d:\d\d, for .* The last pause took 4 s\.$/);
      expect(await text(page, '#tiles')).to.match(/Workers\s+5 of 5\s+1 restart/);
      await counts(page, '#worker-rows tr', 5);
      expect(await page.locator('#worker-rows path[d^="M"]').count()).to.equal(25);
      expect(await text(page, '#run-rows'))
        .to.include('drain-timeout')
        .and.match(/\d+ new, \d/);
      expect(await text(page, '#pause-rows')).to.match(/exclusive run\s+reindex-01/);
      await picture(page, 'day');
      const plot = page.locator('#traffic');
      await page.getByRole('button', { name: /^Show all \d+ pauses/ }).click();
      await shows(page, '#pause-rows', 'Moving to the new storage');
      expect((await plot.boundingBox())!.height, 'the plot beside a long list').to.be.below(400);
    });

    it('the feeds that are fetched, with what became of each', async () => {
      const page = await browsing.open(site().url);
      await page.locator('#sources').waitFor({ state: 'hidden' });
      const { cluster } = site();
      const at = new Date(cluster.now - 65_000).toISOString();
      const next = new Date(cluster.now + 3_600_000).toISOString();
      const reason = 'The feed at https://feeds.example.com/stock.csv was not complete after 600000 ms.';
      const sources: SourceStatus[] = [
        {
          source: 'https://feeds.example.com/products.json.gz?…',
          state: 'waiting',
          next,
          last: { outcome: 'mirrored', at },
        },
        {
          source: 'https://feeds.example.com/stock.csv',
          collection: 'stock',
          scope: { tenant: 'south' },
          state: 'retrying',
          next,
          last: { outcome: 'failed', at, code: 'fetch-failed', reason },
        },
        { source: 'https://feeds.example.com/prices.ndjson', state: 'fetching' },
        { source: 'https://feeds.example.com/prices.ndjson', state: 'fetching' },
      ];
      const alone = cluster.status.bind(cluster);
      cluster.status = () => ({ ...alone(), sources });
      cluster.changed();
      await counts(page, '#source-rows tr', 4);
      const shown = await text(page, '#source-rows');
      expect(shown)
        .to.match(/stock tenant=south/)
        .and.match(/failed\s+\d\d:\d\d:\d\d, .* ago: The feed at/)
        .and.match(/another try/)
        .and.match(/at work\s+not yet/);
      await page.setViewportSize({ width: 800, height: 900 });
      await drawn(page);
      expect(await linesOf(page, '#source-rows tr:first-child .text')).to.deep.equal([
        'https://feeds.example.com/',
        'products.json.gz?…',
      ]);
      cluster.status = alone;
    });

    it('what a drain waits for, and how far a run is', async () => {
      const page = await browsing.open(site().url);
      const { cluster } = site();
      const run = aRun('draining');
      cluster.setRun(run);
      cluster.hold('sync', `run ${run.id}`);
      cluster.waitingFor = [
        { slot: 3, method: 'GET', path: '/export', route: '/export', age: 48_000, clientGone: true },
      ];
      cluster.move('draining');
      await shows(page, '#phase', 'Draining');
      await shows(page, '#waiting', /Waiting for 1 request[^]*GET \/export[^]*48 s[^]*the handler runs on/);
      cluster.move('quiesced');
      cluster.setRun({
        ...run,
        state: 'running',
        progress: { step: 'write', done: 300, total: 1_200, rate: 600, eta: 1_500 },
      });
      await shows(page, '#run-far', '300 of 1\u202f200 items · 600/s · about 1.5 s left');
      expect(await page.locator('#run-progress').getAttribute('value')).to.equal('0.25');
      expect(await text(page, '#run-steps li[aria-current]')).to.equal('write');
      await page.locator('#waiting').waitFor({ state: 'hidden' });
      cluster.release('sync');
      cluster.move('serving');
      cluster.setRun({ ...run, state: 'succeeded', endedAt: new Date().toISOString() });
      await shows(page, '#phase', 'Serving');
      await page.locator('#run').waitFor({ state: 'hidden' });
    });

    it('which mirror a run is for, by its collection and scope, and where its feed came from', async () => {
      const page = await browsing.open(site().url);
      const { cluster } = site();
      const endedAt = new Date().toISOString();
      const run = (id: string, tenant: string): RunRecord => ({
        ...aRun('succeeded'),
        id,
        collection: 'products',
        scope: { tenant },
        owner: { slot: 3, incarnation: 1, method: 'PUT', path: `/api/${tenant}` },
        endedAt,
      });
      cluster.setRun(run('run-north', 'north'));
      const fetched = { slot: 1, incarnation: 1, method: 'GET', path: '(fetched)' };
      const source = 'https://feeds.example.com/south.csv';
      cluster.setRun({ ...run('run-south', 'south'), owner: fetched, source });
      await shows(page, '#run-rows', `products tenant=south ← ${source}`);
      await shows(page, '#run-rows', 'products tenant=north ← PUT /api/north');
      const reports = page.locator('#run-rows .report dl');
      await page.getByRole('button', { name: 'Report of run run-north' }).click();
      expect(await reports.innerText()).to.match(
        /Mirror\s+products tenant=north\s+Asked for by\s+PUT \/api\/north in slot 3/,
      );
      await page.getByRole('button', { name: 'Report of run run-north' }).click();
      await page.getByRole('button', { name: 'Report of run run-south' }).click();
      const south = await reports.innerText();
      expect(south).to.match(
        /Mirror\s+products tenant=south\s+Fetched from\s+https:\/\/feeds\.example\.com\/south\.csv/,
      );
      expect(south).to.not.include('Asked for by');

      const long = `/a/route/that/${'is/longer/than/any/column/'.repeat(6)}`;
      cluster.setRun({ ...run('run-long', 'west'), owner: { ...fetched, method: 'PUT', path: long } });
      await shows(page, '#run-rows', long);
      for (const width of [360, 800, 1_600]) {
        await page.setViewportSize({ width, height: 900 });
        await drawn(page);
        expect(await leavesItsPanel(page), `${width} px`).to.deep.equal([]);
        expect(await overflow(page), `${width} px`).to.equal(0);
      }

      cluster.setRun({ ...aRun('running'), collection: 'products', scope: { tenant: 'south' } });
      await shows(page, '#run-title', 'Mirror run into products tenant=south run-7 has been going on');
      cluster.setRun({ ...aRun('running'), kind: 'exec' });
      await shows(page, '#run-title', 'Command run-7 has been going on');
    });

    it('the report of a run, opened and closed by its button, which keeps the focus', async () => {
      const page = await browsing.open(site().url);
      const button = page.locator('#run-rows tr', { hasText: 'drain-timeout' }).getByRole('button');
      await button.press('Enter');
      await shows(page, '#run-rows', /GET \/export\/orders.csv in slot 3 was still running/);
      expect(await button.getAttribute('aria-expanded')).to.equal('true');
      const before = await text(page, '#tiles');
      await eventually('the page to be drawn again', async () => (await text(page, '#tiles')) !== before);
      expect(await button.evaluate((node) => node === document.activeElement)).to.equal(true);
      await page.keyboard.press('Enter');
      await page.locator('#run-rows .report').waitFor({ state: 'detached' });
    });

    it('on a phone each worker as a line that unfolds, and at first sight no word of ours for a process or a pause', async () => {
      const page = await browsing.open(site().url, { width: 1_280 });
      await shows(page, '#phase', 'Serving');
      expect(await text(page, 'main')).to.not.match(/epoch|incarnation/i);
      await page.setViewportSize({ width: 360, height: 900 });
      await drawn(page);
      const line = page.locator('#worker-rows tr').nth(2);
      const hidden = line.locator('.sub:not(:empty), .spark');
      expect(await hidden.count()).to.be.above(4);
      const visible = async (): Promise<number> => (await hidden.filter({ visible: true }).all()).length;
      expect(await visible(), 'folded').to.equal(0);
      const { height } = (await line.boundingBox())!;
      await line.getByRole('button', { name: 'Worker 2' }).click();
      await shows(page, '#worker-rows .report', 'number 2 in this slot');
      expect(await visible(), 'unfolded').to.equal(await hidden.count());
      expect((await line.boundingBox())!.height).to.be.above(height * 1.5);
    });

    it('what comes from outside as text', async () => {
      const page = await unlocked();
      const evil = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
      const { cluster } = site();
      cluster.log(50, evil);
      cluster.waitingFor = [{ slot: 0, method: evil, path: evil, age: 1 }];
      cluster.hold('operator', evil);
      cluster.move('draining');
      for (const place of ['#holds', '#log-lines', '#waiting', '#pause-rows']) await shows(page, place, evil);
      expect(await page.title()).to.equal('Draining · shop');
      expect(await page.locator('main img, main script').count()).to.equal(0);
    });
  });

  describe('is honest', () => {
    it('when the primary stands still, and when it goes on', async () => {
      const page = await browsing.open(site().url);
      await shows(page, '#phase', 'Serving');
      site().stall();
      await shows(page, '#phase', /^No data since \d\d:\d\d:\d\d$/);
      expect(await page.title()).to.equal('No data · shop');
      expect(await text(page, '#phase-detail')).to.match(/^When last seen, \d+ s ago, it was serving\./);
      await page.locator('#hold:disabled').waitFor();
      expect(await text(page, '#announcer')).to.include('No data since');
      site().play();
      await shows(page, '#phase', 'Serving');
      await page.locator('#hold:enabled').waitFor();
    });

    it('when the primary is gone, and shows the next one as soon as it is there', async () => {
      browsing.allow(/ERR_|Failed to load/);
      const page = await unlocked();
      await site().stop();
      await shows(page, '#phase', 'No data since');
      await page.locator('#hold').and(page.locator(':disabled')).waitFor();
      const next = site();
      const { FakeCluster } = await import('../unit/dashboard/fake-cluster.js');
      next.cluster = new FakeCluster({ workers: 2, upFor: 3_000 });
      await next.start();
      await shows(page, '#phase', 'Serving');
      await shows(page, '#tiles', /2 of 2/);
      await counts(page, '#worker-rows tr', 2);
      expect(await text(page, '#no-runs')).to.include('No run yet');
      next.cluster.log(30, 'a line of the new primary');
      await shows(page, '#log-lines', 'a line of the new primary');
      expect(await text(page, '#log-lines')).to.not.include('worker 2.2 serves');
    });

    it('and misses nothing while its connection was cut', async () => {
      browsing.allow(/ERR_|Failed to load/);
      const tunnel = new Tunnel(site().port);
      try {
        const page = await browsing.open(await tunnel.start());
        await shows(page, '#phase', 'Serving');
        const asked: (string | undefined)[] = [];
        page.on('request', (request) => {
          if (request.url().includes('/api/events')) asked.push(request.headers()['last-event-id']);
        });
        tunnel.cut();
        await shows(page, '#phase', 'No data since');
        const { cluster } = site();
        cluster.hold('exclusive', 'run nightly');
        cluster.move('draining');
        cluster.move('quiesced');
        cluster.release('exclusive');
        cluster.move('serving');
        tunnel.mend();
        await shows(page, '#phase', 'Serving');
        await shows(page, '#pause-rows', 'nightly');
        expect(asked.at(-1)).to.match(/^[\w-]+\.\d+$/);
      } finally {
        tunnel.close();
      }
    });
  });
});
