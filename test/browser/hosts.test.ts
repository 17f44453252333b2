import { expect } from 'chai';
import type { HostStatus } from '#quiesce/protocol/api/runs.js';
import { drawn, faults, leavesItsCell, leavesItsPanel, overflow, useBrowser } from './harness/chromium.ts';
import { counts, shows, text } from './harness/reading.ts';
import { useFakeSite } from './harness/fake-site.ts';

const host = (name: string, state: HostStatus['state'], lease: number, more: Partial<HostStatus> = {}): HostStatus => ({
  name,
  state,
  lease,
  here: false,
  version: '0.1.0',
  ...more,
});
const hosts = [
  host('ip-10-0-142-217.eu-central-1.compute.internal', 'away', -74_000),
  host('web-1', 'quiesced', 27_300, { here: true }),
  host('web-2', 'draining', 21_900),
  host('web-3', 'quiesced', 4_100, { version: '0.2.0-rc.1' }),
];

describe('the hosts of a cluster on the page', function () {
  this.timeout(120_000);
  const browsing = useBrowser();
  const site = useFakeSite();

  it('are shown by state and lease, readable at each width and in both colour schemes', async () => {
    const { cluster } = site();
    cluster.hosts = hosts;
    cluster.move('draining');
    const page = await browsing.open(site().url);
    await counts(page, '#host-rows tr', 4);
    expect(await text(page, '#host-rows tr:nth-child(1)')).to.match(/away\s+over/);
    await page.setViewportSize({ width: 360, height: 900 });
    expect(await text(page, '#host-rows tr:nth-child(2)'), 'on a phone').to.match(/this host[^]*27 s[^]*0\.1\.0/);
    await page.setViewportSize({ width: 1024, height: 900 });
    expect(await text(page, '#host-rows tr:nth-child(2)')).to.match(/web-1\s+this host\s+quiesced\s+27 s/);
    for (const colorScheme of ['light', 'dark'] as const)
      for (const width of [360, 1024]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 900 });
        await drawn(page);
        expect(await overflow(page), `${width} px`).to.equal(0);
        expect(await leavesItsPanel(page), `${width} px`).to.deep.equal([]);
        expect(await leavesItsCell(page, '#host-rows'), `${width} px`).to.deep.equal([]);
        expect(await faults(page, '#hosts'), `${width} px, ${colorScheme}`).to.deep.equal([]);
      }
  });

  it('change and go as the cluster tells, and are not there where a host is alone', async () => {
    const { cluster } = site();
    const page = await browsing.open(site().url);
    await shows(page, '#phase', 'Serving');
    await page.locator('#hosts').waitFor({ state: 'hidden' });
    cluster.hosts = hosts;
    cluster.changed();
    await counts(page, '#host-rows tr', 4);
    cluster.hosts = hosts.slice(1);
    cluster.changed();
    await counts(page, '#host-rows tr', 3);
    expect(await text(page, '#host-rows')).not.to.include('away');
  });
});
