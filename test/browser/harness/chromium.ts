/** A real Chromium for the tests of a whole `describe`, and what must hold for every page that they open. */
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { commandIfThere } from '../../unit/primary/metrics/command.js';

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

function executable(): string | null {
  const given = process.env['CHROMIUM'];
  if (given !== undefined) return given;
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  return names.map(commandIfThere).find((found) => found !== null) ?? null;
}

export interface PageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly scheme?: 'light' | 'dark';
}

export interface Browsing {
  /** A page in a session of its own, once it shows something. */
  open(url: string, options?: PageOptions): Promise<Page>;
  /** Any page of any host, bare: Chromium may complain, and ask whom it likes. */
  visit(url: string): Promise<Page>;
  /** What Chromium will complain of, because the test takes away what the page asks for. */
  allow(complaint: RegExp): void;
}

/** In a `describe`: its tests are left out, loudly, where no Chromium is found. */
export function useBrowser(more: readonly string[] = []): Browsing {
  let browser: Browser | undefined;
  const contexts: BrowserContext[] = [];
  const complaints: string[] = [];
  let allowed: RegExp[] = [];

  before('Chromium', async function () {
    this.timeout(60_000);
    const executablePath = executable();
    if (executablePath === null) {
      console.warn('    No Chromium: these tests are left out. Install it (Debian: chromium) or set CHROMIUM.');
      return this.skip();
    }
    browser = await chromium.launch({ executablePath, args: [...flags, ...more] });
  });
  afterEach('no complaint, and no request to another host', async function () {
    this.timeout(30_000);
    await Promise.all(contexts.splice(0).map((context) => context.close()));
    const found = complaints.splice(0).filter((complaint) => !allowed.some((pattern) => pattern.test(complaint)));
    allowed = [];
    if (this.currentTest?.state === 'passed') expect(found).to.deep.equal([]);
    else if (found.length > 0) console.error(found.join('\n'));
  });
  after('Chromium closed', async () => browser?.close());

  return {
    allow: (complaint) => void allowed.push(complaint),
    async visit(url) {
      const context = await browser!.newContext();
      contexts.push(context);
      const page = await context.newPage();
      await page.goto(url);
      return page;
    },
    async open(url, { width = 1280, height = 900, scheme = 'light' } = {}) {
      const context = await browser!.newContext({ viewport: { width, height }, colorScheme: scheme });
      contexts.push(context);
      context.setDefaultTimeout(30_000);
      const page = await context.newPage();
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
      });
      page.on('pageerror', (error) => void complaints.push(`${error.message}\n${error.stack ?? ''}`));
      const { host } = new URL(url);
      page.on('request', (request) => {
        if (new URL(request.url()).host !== host) complaints.push(`a request to ${request.url()}`);
      });
      await page.goto(url);
      await page.locator('html[data-connection="live"]').waitFor();
      return page;
    },
  };
}

/** What axe-core finds in the page, or in that part of it, as `id: elements`. */
export async function faults(page: Page, part = 'html'): Promise<string[]> {
  await page.evaluate(axe);
  // Grey, and so of less contrast, while nothing comes: a slow machine is a moment late.
  await page.locator('html[data-connection="live"]').waitFor();
  const { violations } = await page.evaluate((selector) => {
    const { axe: engine } = globalThis as unknown as {
      axe: { run(part: string): Promise<{ violations: Violation[] }> };
    };
    return engine.run(selector);
  }, part);
  return violations.map(({ id, impact, nodes }) => `${id} (${impact}): ${nodes.map(({ html }) => html).join(' | ')}`);
}

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: { readonly html: string }[];
}

/** Waits until the page is drawn for its present size: the plot gets its own within two frames. */
export async function drawn(page: Page): Promise<void> {
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

/** How far the page is wider than its window, px. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** What is wider than the panel that it is in, as `class of the panel: px`. */
export function leavesItsPanel(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('.panel')].flatMap((panel) => {
      const edge = panel.getBoundingClientRect().right;
      const beyond = [...panel.querySelectorAll('table, svg, canvas, button, p')]
        .map((node) => node.getBoundingClientRect())
        .filter(({ width, right }) => width > 0 && right > edge + 0.5)
        .map(({ right }) => `${panel.className}: ${Math.round(right - edge)}`);
      return beyond.slice(0, 1);
    }),
  );
}

/** Texts in the rows there that are wider than their cell, and so drawn over the next one, although all of it fits the panel. */
export function leavesItsCell(page: Page, rows: string): Promise<string[]> {
  return page.evaluate(
    (where) =>
      [...document.querySelectorAll(`${where} td .text`)].flatMap((text) => {
        const [own, inner] = [text.closest('td')!.getBoundingClientRect(), text.getBoundingClientRect()];
        return inner.width > 0 && (inner.right > own.right + 1 || inner.left < own.left - 1) ? [text.textContent] : [];
      }),
    rows,
  );
}
