import type { Page } from 'playwright-core';

export function text(page: Page, selector: string): Promise<string> {
  return page.locator(selector).innerText();
}

/** Waits until the page shows this there. */
export function shows(page: Page, selector: string, wanted: string | RegExp): Promise<void> {
  return page.locator(selector).filter({ hasText: wanted }).first().waitFor();
}

export async function giveToken(page: Page, token: string): Promise<void> {
  await page.locator('#unlock').click();
  await page.locator('#token').fill(token);
  await page.getByRole('dialog').getByRole('button', { name: 'Unlock' }).click();
  await page.locator('#log-lines').waitFor();
}
