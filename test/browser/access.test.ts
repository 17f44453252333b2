import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { faults, overflow, useBrowser, type PageOptions } from './harness/chromium.ts';
import { aRun, useFakeSite } from './harness/fake-site.ts';
import { counts, eventually, openUnlocked, shows, text } from './harness/reading.ts';

/** A phone, and the layouts above it, px. */
const widths = [360, 800, 960, 1_024, 1_600];

describe('the page is for everybody:', function () {
  this.timeout(120_000);
  const browsing = useBrowser();
  const site = useFakeSite();
  const unlocked = (options?: PageOptions): Promise<Page> => openUnlocked(browsing, site(), options);

  for (const scheme of ['light', 'dark'] as const) {
    it(`axe finds nothing, and nothing sticks out, in ${scheme}, from 360 px to 1600 px`, async () => {
      const page = await unlocked({ scheme });
      const { cluster } = site();
      await page.locator('#run-rows button').first().click();
      await page.locator('#worker-rows button').nth(2).click();
      await page.locator('#log-lines a').last().click();
      for (const width of widths) {
        await page.setViewportSize({ width, height: 900 });
        expect(await faults(page), `serving, ${width}`).to.deep.equal([]);
        expect(await overflow(page), `serving, ${width}`).to.be.at.most(0);
      }
      cluster.setRun(aRun('draining'));
      cluster.hold(
        'operator',
        'A reason that is long enough to need more than one line on a small screen, as reasons are',
      );
      const path = '/a/path/that/is/longer/than/any/column/and/has/no/place/to/break/0123456789012345678901234567890';
      cluster.waitingFor = [{ slot: 1, method: 'DELETE', path, age: 61_000 }];
      cluster.move('draining');
      await shows(page, '#phase', 'Draining');
      for (const width of widths) {
        await page.setViewportSize({ width, height: 900 });
        if (width === 800 || width === 960) expect(await faults(page), `draining, ${width}`).to.deep.equal([]);
        expect(await overflow(page), `draining, ${width}`).to.be.at.most(0);
      }
      await page.locator('#scale').click();
      expect(await faults(page), 'a dialog').to.deep.equal([]);
    });
  }

  it('a reader of screens hears of a phase once, and not of each number', async () => {
    const page = await browsing.open(site().url);
    const heard = await page.evaluateHandle(() => {
      const words: string[] = [];
      const live = document.querySelectorAll('[role=status], [role=alert], [aria-live=polite], [aria-live=assertive]');
      const observer = new MutationObserver((changes) =>
        changes.forEach(({ target }) => words.push(target.textContent ?? '')),
      );
      live.forEach((node) => observer.observe(node, { childList: true, subtree: true, characterData: true }));
      return words;
    });
    const { cluster } = site();
    const ticks = await text(page, '#tiles');
    await eventually('the numbers to change', async () => (await text(page, '#tiles')) !== ticks);
    cluster.hold('operator', 'works');
    cluster.move('draining');
    await shows(page, '#phase', 'Draining');
    await eventually('time to pass', async () => !/^for (less than )?1 s/.test(await text(page, '#phase-detail')));
    expect(await heard.jsonValue()).to.deep.equal(['The cluster is draining.']);
    const tree = await page.locator('main').ariaSnapshot();
    expect(tree).to.include('heading "Draining" [level=2]').and.include('columnheader "In flight"');
    expect(tree).to.include('group "Steer the cluster"');
  });

  it('everything can be reached and done with the keyboard alone', async () => {
    const page = await unlocked();
    await page.reload();
    await shows(page, '#phase', 'Serving');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent)).to.equal('Skip to the cluster');
    const walk = async (id: string): Promise<void> => {
      for (let step = 0; step < 40; step++) {
        if (await page.evaluate((wanted) => document.activeElement?.id === wanted, id)) return;
        await page.keyboard.press('Tab');
      }
      throw new Error(`no way to #${id}`);
    };
    await walk('hold');
    await page.keyboard.press('Enter');
    await walk('hold-reason');
    await page.keyboard.type('works on the roof');
    await page.keyboard.press('Enter');
    await shows(page, '#phase', 'Paused');
    await shows(page, '#holds', 'works on the roof');
    await walk('resume');
    await page.keyboard.press('Enter');
    await counts(page, 'dialog[open]', 1);
    await page.keyboard.press('Escape');
    await counts(page, 'dialog[open]', 0);
    await page.locator('#resume:focus').waitFor();
    expect(site().cluster.asked).to.deep.equal(['maintenance true works on the roof']);
    await page.keyboard.press('Enter');
    await counts(page, 'dialog[open]', 1);
    await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).press('Enter');
    await counts(page, 'dialog[open]', 0);
    await eventually('the order', async () => site().cluster.asked.length === 2);
    await shows(page, '#phase', 'Serving');
  });
});
