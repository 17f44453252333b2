import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { drawn, faults, leavesItsCell, leavesItsPanel, overflow, useBrowser } from './harness/chromium.ts';
import { linesOf, openUnlocked, shows } from './harness/reading.ts';
import { useFakeSite } from './harness/fake-site.ts';

describe('the page at each width has', function () {
  this.timeout(120_000);
  const browsing = useBrowser();
  const site = useFakeSite();
  const unlocked = (width?: number): Promise<Page> =>
    openUnlocked(browsing, site(), width === undefined ? {} : { width });

  it('each panel within its card, at every width where the layout changes', async () => {
    const page = await browsing.open(site().url);
    await shows(page, '#phase', 'Serving');
    for (const width of [320, 360, 767, 768, 800, 959, 960, 992, 1023, 1024, 1151, 1152, 1280, 1311, 1312, 1600]) {
      await page.setViewportSize({ width, height: 900 });
      await drawn(page);
      expect(await overflow(page), `${width} px`).to.equal(0);
      expect(await leavesItsPanel(page), `${width} px`).to.deep.equal([]);
      expect(await leavesItsContent(page), `${width} px`).to.deep.equal([]);
      expect(await leavesItsCell(page, 'tbody'), `${width} px`).to.deep.equal([]);
    }
    site().cluster.move('draining');
    await shows(page, '#worker-rows', 'draining');
    for (const width of [320, 768]) {
      await page.setViewportSize({ width, height: 900 });
      await drawn(page);
      expect(await leavesItsContent(page), `${width} px`).to.deep.equal([]);
      expect(await leavesItsCell(page, 'tbody'), `${width} px`).to.deep.equal([]);
    }
  });

  it('on a phone each number beside its name', async () => {
    const page = await browsing.open(site().url);
    await shows(page, '#phase', 'Serving');
    for (const width of [320, 375]) {
      await page.setViewportSize({ width, height: 800 });
      await drawn(page);
      const tall = await page.evaluate(() =>
        [...document.querySelectorAll<HTMLElement>('#pause-rows td.number, #run-rows td.number')]
          .filter(({ offsetHeight }) => offsetHeight > 30)
          .map((cell) => `${cell.dataset['label']} ${cell.innerText}`),
      );
      expect(tall, `${width} px`).to.deep.equal([]);
    }
  });

  it('a line of the log broken between words, and a path between its parts, at each width and in both schemes', async () => {
    const page = await unlocked();
    const { cluster } = site();
    const words = 'worker 3.1 has not answered for 10 s; it is waited for 20 s more before another one replaces it';
    const path = 'GET /orders/2026/customers/4711/positions/export.csv?from=2026&to=2027&columns=name took 812 ms';
    for (const msg of ['x'.repeat(300), path, words]) cluster.log(30, msg);
    await shows(page, '#log-lines', words);
    for (const scheme of ['light', 'dark'] as const)
      for (const width of [320, 375, 768, 1280, 1920]) {
        await page.emulateMedia({ colorScheme: scheme });
        await page.setViewportSize({ width, height: 900 });
        await drawn(page);
        const drawnAs = (last: number): Promise<string[]> =>
          linesOf(page, `#log-lines p:nth-last-child(${last}) .what`);
        const spoken = await drawnAs(1);
        expect(spoken.map((line) => line.trim()).join(' '), `${width} px`).to.equal(words);
        if (width === 320) expect(spoken.length).to.be.above(2);
        for (const line of (await drawnAs(2)).slice(0, -1)) expect(line, `${width} px`).to.match(/\W$/);
        const box = page.locator('#log-lines');
        expect(await box.evaluate((node) => node.scrollWidth - node.clientWidth), `${width} px`).to.equal(0);
        expect(await faults(page, '#log'), `${width} px, ${scheme}`).to.deep.equal([]);
      }
  });

  it('a notice whose button is whole', async () => {
    browsing.allow(/status of 500/);
    const page = await unlocked(320);
    site().cluster.bootFails = true;
    await page.locator('#reload').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Reload' }).click();
    await shows(page, '#notices', 'Dismiss');
    expect(await linesOf(page, '.notice button')).to.deep.equal(['Dismiss']);
  });
});

/** Tables that are wider than the content of their panel, and so without its margin, as `class of the panel: px`. */
function leavesItsContent(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('.panel table')].flatMap((table) => {
      const panel = table.closest<HTMLElement>('.panel')!;
      const edge = panel.getBoundingClientRect().right - parseFloat(getComputedStyle(panel).paddingRight);
      const { width, right } = table.getBoundingClientRect();
      return width > 0 && right > edge + 1.5 ? [`${panel.className}: ${Math.round(right - edge)}`] : [];
    }),
  );
}
