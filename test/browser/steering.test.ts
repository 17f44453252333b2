import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { useBrowser, type PageOptions } from './harness/chromium.ts';
import { aRun, useFakeSite } from './harness/fake-site.ts';
import { counts, eventually, openUnlocked, shows } from './harness/reading.ts';

const day = 86_400_000;

/** As a field for a day and a time takes it. */
function localTime(at: number): string {
  const date = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
  return date.toISOString().slice(0, 16);
}

describe('the page steers', function () {
  this.timeout(120_000);
  const browsing = useBrowser();
  const site = useFakeSite();
  const unlocked = (options?: PageOptions): Promise<Page> => openUnlocked(browsing, site(), options);

  it('only with the token, which it asks for once and keeps for its tab', async () => {
    const page = await browsing.open(site().url);
    expect(await page.locator('#log-lines').isVisible()).to.equal(false);
    await page.locator('#hold').click();
    const dialog = page.getByRole('dialog');
    await dialog.locator('#token').fill('a-token-that-somebody-made-up');
    await dialog.getByRole('button', { name: 'Unlock' }).click();
    await shows(page, '#token-dialog .problem', 'not the token');
    await dialog.locator('#token').fill(site().token);
    await dialog.getByRole('button', { name: 'Unlock' }).click();
    await page.locator('#hold-dialog[open]').waitFor();
    await page.keyboard.press('Escape');
    await shows(page, '#log-lines', 'worker 2.2 serves');
    await page.reload();
    await shows(page, '#log-lines', 'worker 2.2 serves');
    expect(await page.evaluate(() => `${localStorage.length} ${document.cookie}`)).to.equal('0 ');
    expect(await page.content()).to.not.include(site().token);
    const other = await page.context().newPage();
    await other.goto(site().url);
    await other.locator('#log-locked').waitFor();
    await page.locator('#unlock').click();
    await page.locator('#log-locked').waitFor();
    expect(await page.evaluate(() => sessionStorage.length)).to.equal(0);
    expect(site().cluster.asked).to.deep.equal([]);
  });

  it('a hold with a reason and an end, and the resume', async () => {
    const page = await unlocked();
    await page.locator('#hold').click();
    await page.getByLabel('Reason').fill('New disk');
    await page.locator('#hold-for').selectOption('after 15 minutes');
    await page.getByRole('dialog').getByRole('button', { name: 'Hold' }).click();
    await shows(page, '#holds', /operator\s*New disk\s*since .*, until \d\d:\d\d \(in 1[45] min/);
    await eventually('the title', async () => (await page.title()) === 'Paused · shop');
    expect(await page.locator('#icon').getAttribute('href')).to.equal('/assets/icon-quiesced.svg');
    await page.locator('#extend').click();
    await page.getByLabel('Begins', { exact: true }).waitFor({ state: 'hidden' });
    await shows(page, '#hold-for', /^\s*as it is, at \d\d:\d\d:\d\d/);
    await page.getByRole('dialog').getByRole('button', { name: 'Extend' }).click();
    await shows(page, '#hold-dialog .problem', 'Choose a new end');
    await page.locator('#hold-for').selectOption('after 1 hour');
    await page.getByLabel('Reason').fill('New disks');
    await page.getByRole('dialog').getByRole('button', { name: 'Extend' }).click();
    await shows(page, '#notices', 'The hold is changed.');
    await shows(page, '#holds', /operator\s*New disks\s*since .*, until .* \(in (59 min|1 h)/);
    await page.locator('#resume').click();
    await shows(page, '#resume-text', 'New disks');
    await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
    await shows(page, '#notices', 'The operator hold is over.');
    await shows(page, '#phase', 'Serving');
    expect(site().cluster.asked).to.deep.equal([
      'maintenance true New disk 900000',
      'maintenance true New disks 3600000',
      'maintenance false maintenance',
    ]);
  });

  it('a hold until a time of day, with the name of who gives the order', async () => {
    const page = await browsing.open(site().url);
    await page.locator('#unlock').click();
    await page.locator('#token').fill(site().token);
    await page.locator('#user').fill('Anna');
    await page.getByRole('dialog').getByRole('button', { name: 'Unlock' }).click();
    await page.locator('#log-lines').waitFor();
    await page.locator('#hold').click();
    await page.locator('#hold-for').selectOption('at a time …');
    await page.locator('#hold-until').fill('2020-01-01T02:00');
    await page.getByRole('dialog').getByRole('button', { name: 'Hold' }).click();
    await shows(page, '#hold-dialog .problem', 'The hold would end in the past.');
    await page.locator('#hold-until').fill(localTime(Date.now() + 2 * day));
    await page.getByRole('dialog').getByRole('button', { name: 'Hold' }).click();
    await shows(page, '#holds', /since .* by Anna, on the dashboard, until 20\d\d-\d\d-\d\d \d\d:\d\d \(in /);
    const [, , , length] = site().cluster.asked[0]!.split(' ');
    expect(Number(length)).to.be.within(2 * day - 90_000, 2 * day + 5_000);
    await page.locator('#unlock').click();
    expect(await page.evaluate(() => sessionStorage.length)).to.equal(0);
  });

  it('a hold that begins at a time of day, and calls it off', async () => {
    const page = await unlocked();
    await page.locator('#hold').click();
    await page.locator('#hold-from').selectOption('at a time …');
    await page.locator('#hold-at').fill(localTime(Date.now() + day));
    await page.locator('#hold-for').selectOption('after 30 minutes');
    await page.getByRole('dialog').getByRole('button', { name: 'Hold' }).click();
    await shows(page, '#holds', /Scheduled[^]*from .* by the dashboard, until /);
    await shows(page, '#phase', 'Serving');
    await page.locator('#resume').click();
    await shows(page, '#resume-dialog', 'The scheduled hold (maintenance) does not begin.');
    await page.getByRole('dialog').getByRole('button', { name: 'Call it off' }).click();
    await page.locator('#holds').waitFor({ state: 'hidden' });
    const at = new Date(localTime(Date.now() + day)).getTime();
    expect(site().cluster.asked[0]).to.match(/^maintenance true maintenance 1800000 20/);
    expect(Date.parse(site().cluster.asked[0]!.slice(-24))).to.be.within(at - 60_000, at);
    expect(site().cluster.asked).to.have.length(2);
  });

  it('nothing where the dialog is cancelled', async () => {
    const page = await unlocked();
    for (const id of ['hold', 'reload', 'scale']) {
      await page.locator(`#${id}`).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
      await page.locator('dialog[open]').waitFor({ state: 'hidden' });
    }
    expect(site().cluster.asked).to.deep.equal([]);
  });

  it('a reload, with old and new workers side by side, and tells its end and its warnings', async () => {
    site().cluster.reloadStep = 600; // each step is seen
    site().cluster.reloadWarnings = ['The reload cut off 3 requests.', 'Only a new primary takes quiesce.mongodb.uri'];
    const page = await unlocked();
    await page.locator('#reload').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Reload' }).click();
    await shows(page, '#worker-rows', 'starting');
    await shows(page, '#tiles', /slot \d being replaced/);
    await page.locator('#reload:disabled').waitFor();
    await shows(page, '#notices', /Every worker has been replaced; it took \d/);
    for (const warning of site().cluster.reloadWarnings) await shows(page, '#notices', `Warning: ${warning}`);
    await counts(page, '#notices .failed', 2);
    await counts(page, '#worker-rows tr', 5);
    await page.locator('#reload:enabled').waitFor();
  });

  it('a reload that fails, and says why until that is dismissed', async () => {
    const page = await unlocked();
    browsing.allow(/status of 500/);
    site().cluster.bootFails = true;
    await page.locator('#reload').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Reload' }).click();
    await shows(page, '#notices .failed', 'Cannot find module ./routes.js. The old ones serve on.');
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await counts(page, '.notice', 0);
  });

  it('the number of workers', async () => {
    const page = await unlocked();
    await page.locator('#scale').click();
    expect(await page.locator('#scale-instances').inputValue()).to.equal('5');
    await page.locator('#scale-instances').fill('3');
    await page.getByRole('dialog').getByRole('button', { name: 'Scale' }).click();
    await shows(page, '#notices', 'The cluster has 3 workers');
    await counts(page, '#worker-rows tr', 3);
  });

  it('a run that is going on', async () => {
    const page = await unlocked();
    site().cluster.setRun(aRun('running'));
    await page.locator('#cancel').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel the run' }).click();
    await shows(page, '#run-rows', 'failed');
    expect(site().cluster.asked).to.deep.equal(['cancel run-7']);
  });

  it('a run that cannot be finished', async () => {
    const page = await unlocked();
    site().cluster.setRun(aRun('rolling-forward'));
    await page.locator('#abandon').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Abandon' }).click();
    await shows(page, '#run-rows', 'abandoned');
    expect(site().cluster.asked).to.deep.equal(['abandon run-7']);
  });

  it('no longer, where the token has changed: it asks again', async () => {
    const page = await unlocked();
    browsing.allow(/status of 401/);
    await page.evaluate(() => sessionStorage.setItem('quiesce.token', 'one-of-yesterday'));
    await page.locator('#hold').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Hold' }).click();
    await shows(page, '#hold-dialog .problem', 'not valid any more');
    await page.keyboard.press('Escape');
    await page.locator('#hold').click();
    await page.locator('#token-dialog[open]').waitFor();
    expect(site().cluster.asked).to.deep.equal([]);
  });
});
