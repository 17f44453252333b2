/** What must stay between its owners: the token of the feed, that of the admin server, the database's password. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { freePort } from '../../../dev/free-port.ts';
import { useSharedCluster } from '../harness/clusters/shared-cluster.ts';

const syncToken = 'a-token-for-feeds';
/** The database takes it from anybody who does not log in: it stands where a password would. */
const password = 'a-passw0rd';

describe('no secret is told', function () {
  this.timeout(60_000);
  let admin: string;
  let adminToken: string;
  const shared = useSharedCluster(async (database) => {
    const port = await freePort();
    admin = `http://127.0.0.1:${port}`;
    const uri = new URL(database.uri);
    uri.searchParams.set('appName', password);
    return {
      instances: 2,
      quiesce: { admin: { port }, mongodb: { uri: uri.href, db: database.name } },
      primaryEnv: { QUIESCE_SYNC_TOKEN: syncToken, LOG_LEVEL: 'trace' },
    };
  });

  before(async () => {
    adminToken = (await readFile(join(shared.cluster.dataDir, 'admin.token'), 'utf8')).trim();
    await used();
  });

  /** Both tokens at work, and refused: what is told afterwards could tell them. */
  async function used(): Promise<void> {
    const { cluster } = shared;
    const put = async (token: string): Promise<number> => {
      const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` };
      return (await fetch(`${cluster.url}/api/sync`, { method: 'PUT', headers, body: '[{"id":1}]' })).status;
    };
    expect([await put(syncToken), await put(`${syncToken}x`)]).to.deep.equal([204, 401]);
    const scale = async (token: string, instances: number): Promise<number> => {
      const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` };
      const body = JSON.stringify({ instances });
      return (await fetch(`${admin}/api/scale`, { method: 'POST', headers, body })).status;
    };
    const serving = async (): Promise<number> =>
      (await cluster.status()).workers.filter(({ state }) => state === 'serving').length;
    expect([await scale(adminToken, 1), await scale(`${adminToken}x`, 3)]).to.deep.equal([200, 401]);
    expect(await serving()).to.equal(1);
    expect(await scale(adminToken, 2)).to.equal(200);
    expect(await serving()).to.equal(2);
  }

  function holdsNone(where: string, text: string): void {
    expect(text, where).to.not.equal('');
    for (const secret of [syncToken, adminToken, password]) expect(text.includes(secret), where).to.equal(false);
  }

  it('by the page, the metrics, the status, the events, or the history', async () => {
    const read = async (path: string): Promise<string> => (await fetch(`${admin}${path}`)).text();
    const page = await read('/');
    const assets = [...page.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path!);
    expect(assets).to.not.have.length(0);
    for (const path of ['/', ...assets, '/metrics', '/api/status', '/api/runs']) holdsNone(path, await read(path));
    const abort = new AbortController();
    const headers = { Authorization: `Bearer ${adminToken}` };
    const { body } = await fetch(`${admin}/api/events?detail=true`, { headers, signal: abort.signal });
    let events = '';
    for await (const chunk of body!.pipeThrough(new TextDecoderStream())) {
      events += chunk;
      // The log comes with it: this has the token.
      if (/event: status\n/.test(events) && /is ready|started/.test(events)) break;
    }
    abort.abort();
    holdsNone('/api/events', events);
  });

  it('by the log, at its most talkative', () => holdsNone('the log', shared.cluster.output));

  it('by the list of processes, or the files that others may read', async () => {
    const { cluster } = shared;
    const { pid, workers } = await cluster.status();
    for (const each of [pid, ...workers.map((worker) => worker.pid)])
      holdsNone('a command line', await readFile(`/proc/${each}/cmdline`, 'latin1'));
    for (const worker of workers) {
      const environment = await readFile(`/proc/${worker.pid}/environ`, 'latin1');
      expect([environment.includes(syncToken), environment.includes(adminToken)]).to.deep.equal([false, false]);
    }
    for (const entry of await readdir(cluster.dataDir, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || entry.name === 'admin.token') continue;
      const text = await readFile(join(entry.parentPath, entry.name), 'latin1');
      if (text !== '') holdsNone(entry.name, text);
    }
  });
});
