import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { readFileSync } from 'node:fs';
import type { RunRecord } from '#quiesce/protocol/api/runs.js';
import { useBrowser, type PageOptions } from './harness/chromium.ts';
import { useFakeSite } from './harness/fake-site.ts';
import { counts, eventually, giveToken, openUnlocked, shows, text } from './harness/reading.ts';

const hour = 3_600_000;

describe('a link to the page', function () {
  this.timeout(120_000);
  const browsing = useBrowser();
  const site = useFakeSite();
  const unlocked = (options?: PageOptions): Promise<Page> => openUnlocked(browsing, site(), options);
  const search = (page: Page): string => new URL(page.url()).search;
  const isInView = (page: Page, selector: string): Promise<boolean> =>
    page.locator(selector).evaluate((node) => {
      const { top, bottom } = node.getBoundingClientRect();
      return top < innerHeight && bottom > 0;
    });

  it('leads to a run, also to one that is long over; Back closes what a click has opened', async () => {
    const runs = site().cluster.runs(100);
    const page = await browsing.open(site().url);
    const button = page.getByRole('button', { name: `Report of run ${runs[1]!.id}` });
    await button.click();
    await shows(page, '#run-rows .report', runs[1]!.report!.feed.digest);
    expect(search(page)).to.equal(`?run=${runs[1]!.id}`);
    await page.goBack();
    await counts(page, '.report', 0);
    expect(await button.getAttribute('aria-expanded')).to.equal('false');
    await page.goForward();
    await counts(page, '.report', 1);

    const old = runs.at(-1)!;
    await page.goto(`${site().url}?run=${old.id}`);
    await shows(page, '#run-rows .report', old.id);
    await eventually('it to be in view', () => isInView(page, `[data-key="${old.id}"]`));
  });

  it('leads to a run that the page has not been told of, and says so if there is none', async () => {
    const { cluster } = site();
    const startedAt = new Date(Date.now() - 9 * hour).toISOString();
    for (let number = 0; number < 60; number++) {
      const run: RunRecord = {
        id: `run-${number}`,
        kind: 'exclusive',
        state: 'succeeded',
        startedAt,
        endedAt: startedAt,
      };
      cluster.setRun(run);
    }
    browsing.allow(/status of 404/);
    const page = await browsing.open(`${site().url}?run=run-1&run=no-such-run`);
    await shows(page, '#run-rows .report', 'run-1');
    await shows(page, '#notices .failed', 'There is no run no-such-run.');
    await eventually('the address without it', async () => search(page) === '?run=run-1');
  });

  it('leads to a worker and its last exit, and from there to its lines in the log', async () => {
    const page = await unlocked();
    await page.getByRole('button', { name: 'Worker 2' }).click();
    await shows(page, '#worker-rows .report', /pid 5036, number 2[^]*crash, SIGKILL[^]*Reached heap limit/);
    expect(search(page)).to.equal('?worker=2');
    await page.locator('#worker-rows .report').getByRole('link', { name: 'Its lines in the log' }).click();
    await shows(page, '#log-count', /^\d+ of \d+ lines$/);
    expect(await page.locator('#log-from').inputValue()).to.equal('2');
    expect(search(page)).to.equal('?worker=2&from=2');
    expect(await isInView(page, '#log')).to.equal(true);
    expect(await text(page, '#log-lines'))
      .to.include('ended with SIGKILL')
      .and.not.include('DeprecationWarning');
    await page.goBack();
    await page.goBack();
    await counts(page, '.report', 0);
  });

  it('leads to a filter of the log: level, worker, words', async () => {
    const page = await unlocked();
    site().cluster.log(50, 'it broke', { slot: 1, stream: 'stderr', request: { method: 'GET', path: '/export' } });
    await page.locator('#log-level').selectOption('errors');
    await page.locator('#log-from').selectOption('worker 1');
    await page.locator('#log-text').fill('get /export');
    await shows(page, '#log-lines', 'it broke');
    await counts(page, '#log-lines p', 1);
    expect(search(page)).to.equal('?level=errors&from=1&text=get+%2Fexport');
    await page.locator('#log-text').fill('get /nothing');
    await page.locator('#log-none').waitFor();
    await page.goBack();
    await eventually('no word', async () => (await page.locator('#log-text').inputValue()) === '');

    await page.goto(`${site().url}?level=warnings&from=supervisor`);
    await shows(page, '#log-lines', 'the next worker starts');
    expect(await text(page, '#log-lines')).to.not.include('worker 2.2 serves');
    expect(await page.locator('#log-level').inputValue()).to.equal('warnings');
    await eventually('the log to be in view', () => isInView(page, '#log-lines'));
  });

  it('leads to a time: in the pauses, on their strip and in the log', async () => {
    const page = await unlocked();
    await page.locator('#pause-rows a').nth(1).click();
    await shows(page, '#pause-rows tr[aria-current]', /mirror run/);
    await shows(page, '#marked', 'Marked: ');
    const at = new URLSearchParams(search(page)).get('at');
    await page.locator('#unmark').click();
    await counts(page, '#pause-rows tr[aria-current]', 0);
    expect(search(page)).to.equal('');

    const other = await page.context().newPage();
    await other.goto(`${site().url}?at=${at}`);
    await shows(other, '#pause-rows tr[aria-current]', /mirror run/);
    await eventually('the pauses to be in view', () => isInView(other, '#pauses'));
    await page.goto(`${site().url}?at=${new Date(Date.now() - 20 * hour).toISOString()}`);
    await page.locator('#log-lines p').first().waitFor();
    await counts(page, '#log-lines p[aria-current]', 0);

    const line = page.locator('#log-lines p', { hasText: 'GET /orders/291 took' });
    await line.getByRole('link').click();
    await page.locator('#log-lines p[aria-current]', { hasText: 'GET /orders/291 took' }).waitFor();
    await page.goto(`${site().url}${search(page)}`);
    await page.locator('#log-lines p[aria-current]').waitFor();
    const { top, bottom } = await line.evaluate((node) => {
      const box = node.parentElement!.getBoundingClientRect();
      const own = node.getBoundingClientRect();
      return { top: own.top - box.top, bottom: box.bottom - own.bottom };
    });
    expect(Math.min(top, bottom), 'the line within its box').to.be.at.least(0);
    await line.getByRole('link').click();
    await counts(page, '#log-lines p[aria-current]', 0);
  });

  it('that was cut or written by hand shows the page as usual', async () => {
    const page = await browsing.open(`${site().url}?worker=x&range=9d&at=yesterday&level=loud&text=`);
    await shows(page, '#phase', 'Serving');
    expect(await page.locator('#marked').isVisible()).to.equal(false);
    await counts(page, '#worker-rows tr', 5);
  });

  it('to a run has its report as a file', async () => {
    const [run] = site().cluster.runs(1);
    const page = await browsing.open(`${site().url}?run=${run!.id}`);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download as JSON' }).click(),
    ]);
    expect(download.suggestedFilename()).to.equal(`run-${run!.id}.json`);
    expect(JSON.parse(readFileSync(await download.path(), 'utf8'))).to.deep.equal(run);
  });

  it('holds no token, and a reader who has none does not see the log', async () => {
    const page = await browsing.open(`${site().url}?level=errors`);
    await page.locator('#log-locked').waitFor();
    await counts(page, '#log-lines p', 0);
    await giveToken(page, site().token);
    await shows(page, '#log-lines', 'ended with SIGKILL');
    expect(search(page)).to.equal('?level=errors');
  });
});
