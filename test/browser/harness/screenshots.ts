/** Pictures for the docs, of what a test has on its screen: `npm run screenshots`. */
import type { Page } from 'playwright-core';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { drawn } from './chromium.ts';
import { commandIfThere, run } from '../../unit/primary/metrics/command.js';

const folder = process.env['SCREENSHOTS'];
const pngquant = commandIfThere('pngquant');
const sizes = [
  { width: 360, height: 780 },
  { width: 800, height: 900 },
  { width: 1600, height: 1000 },
] as const;

/** In both colour schemes and three widths; a third of the size where `pngquant` is found. Does nothing in an ordinary run. */
export async function picture(page: Page, name: string): Promise<void> {
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  const before = page.viewportSize();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const size of sizes) {
      await page.setViewportSize(size);
      await page.evaluate(() => scrollTo(0, 0));
      await drawn(page);
      const file = path.join(folder, `${name}-${size.width}-${colorScheme}.png`);
      await page.screenshot({ path: file });
      if (pngquant !== null) await run(pngquant, ['--force', '--strip', '--output', file, '128', file]);
    }
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
  if (before !== null) await page.setViewportSize(before);
}
