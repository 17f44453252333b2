import type { Page } from 'playwright-core';
import type { Browsing, PageOptions } from './chromium.ts';
import { until } from '../../process/harness/until.ts';

export function text(page: Page, selector: string): Promise<string> {
  return page.locator(selector).innerText();
}

/** Waits until the page shows this there. */
export function shows(page: Page, selector: string, wanted: string | RegExp): Promise<void> {
  return page.locator(selector).filter({ hasText: wanted }).first().waitFor();
}

/** What Chromium has no event for, on a machine that may be busy with something else. */
export async function eventually(what: string, probe: () => Promise<boolean>): Promise<void> {
  await until(what, probe, { within: 30_000 });
}

/** Waits until there are so many. */
export async function counts(page: Page, selector: string, wanted: number): Promise<void> {
  await eventually(`${wanted} of ${selector}`, async () => (await page.locator(selector).count()) === wanted);
}

export async function giveToken(page: Page, token: string): Promise<void> {
  await page.locator('#unlock').click();
  await page.locator('#token').fill(token);
  await page.getByRole('dialog').getByRole('button', { name: 'Unlock' }).click();
  await page.locator('#log-lines').waitFor();
}

/** The page of this site, with its token given. */
export async function openUnlocked(
  browsing: Browsing,
  { url, token }: { readonly url: string; readonly token: string },
  options?: PageOptions,
): Promise<Page> {
  const page = await browsing.open(url, options);
  await giveToken(page, token);
  return page;
}

/** The text of the first element that fits, line by line as it is drawn. */
export function linesOf(page: Page, selector: string): Promise<string[]> {
  return page.evaluate((where) => {
    const walker = document.createTreeWalker(document.querySelector(where)!, NodeFilter.SHOW_TEXT);
    const lines = new Map<number, string>();
    const range = document.createRange();
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      for (let at = 0; at < node.textContent!.length; at++) {
        range.setStart(node, at);
        range.setEnd(node, at + 1);
        const { top } = range.getBoundingClientRect();
        lines.set(top, `${lines.get(top) ?? ''}${range.toString()}`);
      }
    }
    return [...lines.values()];
  }, selector);
}
