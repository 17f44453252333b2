import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../dev/free-port.ts';
import { useClusters, usePlainClusters } from '../process/harness/clusters/clusters.ts';
import { useBrowser } from './harness/chromium.ts';

const script = fileURLToPath(new URL('./fixtures/cross-origin-app.js', import.meta.url));

interface Told {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly text: string;
}

/** What a script of the page can read of the answer; null is a network error. */
function told(page: Page, url: string, init: RequestInit): Promise<Told | null> {
  return page.evaluate(
    async ([target, options]) => {
      try {
        const { status, headers, ...answer } = await fetch(target, options).then(async (response) => ({
          status: response.status,
          headers: response.headers,
          text: await response.text(),
        }));
        return { status, retryAfter: headers.get('retry-after'), text: answer.text };
      } catch {
        return null;
      }
    },
    [url, init] as const,
  );
}

const json = { 'Content-Type': 'application/json' };
const put = (body = '{}'): RequestInit => ({ method: 'PUT', headers: json, body });

describe('a page of another origin', function () {
  this.timeout(120_000);
  const browsing = useBrowser();
  const clusters = usePlainClusters();
  let elsewhere: Server;
  before('a page elsewhere', async () => {
    elsewhere = createServer((_req, res) => res.setHeader('Content-Type', 'text/html').end('<title>Elsewhere</title>'));
    await once(elsewhere.listen(0, '127.0.0.1'), 'listening');
  });
  after(() => elsewhere.close());
  const visit = (): Promise<Page> => browsing.visit(`http://localhost:${(elsewhere.address() as AddressInfo).port}/`);

  it('reads the 503 of a pause and when to come again, where cors() stands before gate()', async () => {
    const cluster = await clusters.start({ script, instances: 1, env: { GATED: '1' } });
    const page = await visit();
    const url = `${cluster.url}/orders`;
    expect(await told(page, url, put())).to.include({ status: 200, text: '{"taken":true}' });
    await cluster.control.maintenance({ on: true });
    const refused = await told(page, url, put());
    expect(refused?.status).to.equal(503);
    expect(Number(refused?.retryAfter)).to.be.at.least(1);
    expect(JSON.parse(refused!.text)).to.include({ code: 'paused' });
  });

  it('has its preflight answered by an app without gate(), so that what it sends after the pause is taken', async () => {
    const cluster = await clusters.start({ script, instances: 1 });
    const page = await visit();
    await cluster.control.maintenance({ on: true });
    const preflights: number[] = [];
    const session = await page.context().newCDPSession(page);
    await session.send('Network.enable');
    session.on('Network.responseReceived', ({ type, response }) => {
      if (type === 'Preflight') preflights.push(response.status);
    });
    expect(await told(page, `${cluster.url}/orders`, put()), 'no 503 says that it may be read').to.equal(null);
    expect(preflights).to.deep.equal([204]);
    await cluster.control.maintenance({ on: false });
    expect(await told(page, `${cluster.url}/orders`, put())).to.include({ status: 200 });
  });
});

describe('a page whose own host name is given to this machine (DNS rebinding)', function () {
  this.timeout(120_000);
  const browsing = useBrowser(['--host-resolver-rules=MAP evil.test 127.0.0.1']);
  const clusters = useClusters();

  it('cannot send a feed, and cannot read or steer the admin server', async () => {
    const port = await freePort();
    const { uri, name } = clusters.database;
    const cluster = await clusters.start({ instances: 1, quiesce: { admin: { port }, mongodb: { uri, db: name } } });
    await clusters.database.db.collection<{ _id: string }>('resources').insertOne({ _id: 'kept' });
    const token = readFileSync(join(cluster.dataDir, 'admin.token'), 'utf8').trim();

    // Served by the app itself, as the browser sees it: same origin, no preflight.
    const page = await browsing.visit(`http://evil.test:${cluster.port}/livez`);
    for (const query of ['', '?maxDeletes=100%25', '?dryRun=true']) {
      const refused = await told(page, `/api/sync${query}`, put('[{"id":1}]'));
      expect(refused?.status, query).to.equal(403);
      expect(JSON.parse(refused!.text)).to.include({ code: 'forbidden' });
    }
    const admin = await browsing.visit(`http://evil.test:${port}/`);
    expect(await admin.textContent('body')).to.include('not this admin server');
    const order = { ...put('{"on":true}'), method: 'POST' };
    for (const headers of [json, { ...json, Authorization: `Bearer ${token}` }]) {
      const refused = await told(admin, '/api/maintenance', { ...order, headers });
      expect(refused?.status).to.equal(403);
    }
    expect((await told(admin, '/api/status', {}))?.status).to.equal(403);
    // And from the app's page, which is another origin of the same machine.
    expect(await told(page, `http://127.0.0.1:${port}/api/maintenance`, order)).to.equal(null);
    expect((await cluster.status()).phase).to.equal('serving');
    expect(await clusters.database.db.collection('resources').find().toArray()).to.deep.equal([{ _id: 'kept' }]);
  });
});
