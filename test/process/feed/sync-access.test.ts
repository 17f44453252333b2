/** Who may send a feed to a server that really listens: with no token only who means this machine. */
import { expect } from 'chai';
import { useSharedCluster } from '../harness/clusters/shared-cluster.ts';
import { SyncClient } from '../harness/clients/sync-client.ts';

const foreign: readonly Readonly<Record<string, string>>[] = [
  { Host: 'evil.example' },
  { Origin: 'http://evil.example' },
  { 'Sec-Fetch-Site': 'cross-site' },
  { Forwarded: 'for=127.0.0.1' },
  { Via: '1.1 proxy' },
  { 'X-Real-IP': '127.0.0.1' },
  { 'X-Forwarded-For': '127.0.0.1' },
  { 'X-Forwarded-Host': 'localhost' },
  { 'X-Forwarded-Proto': 'http' },
  { 'X-Client-IP': '127.0.0.1' },
  { 'X-Cluster-Client-IP': '127.0.0.1' },
  { 'X-Original-For': '127.0.0.1' },
  { 'X-Envoy-External-Address': '127.0.0.1' },
  { 'True-Client-IP': '127.0.0.1' },
  { 'CF-Connecting-IP': '127.0.0.1' },
  { 'Fastly-Client-IP': '127.0.0.1' },
  { 'Fly-Client-IP': '127.0.0.1' },
];
const feed = '[{"id":"new"}]';

describe('PUT /api/sync without a token', function () {
  this.timeout(30_000);
  const shared = useSharedCluster({ instances: 1 });
  const client = new SyncClient(shared);

  for (const headers of foreign) {
    it(`refuses ${JSON.stringify(headers)}, before anything is claimed`, async () => {
      await client.refused({ status: 403, code: 'forbidden' }, () => client.put(feed, headers));
      expect((await client.put(feed, headers, '?dryRun=true')).status, 'of a dry run').to.equal(403);
      expect(await shared.cluster.control.runs(1)).to.deep.equal([]);
    });
  }

  it('takes a feed from this machine', async () => {
    expect((await client.put(feed, { Origin: shared.cluster.url, 'Sec-Fetch-Site': 'same-origin' })).status).to.equal(
      204,
    );
    expect(await client.documents()).to.deep.equal([{ _id: 'new' }]);
  });
});

describe('PUT /api/sync with a token', function () {
  this.timeout(30_000);
  const token = 'a-token-for-feeds';
  const shared = useSharedCluster({ instances: 1, primaryEnv: { QUIESCE_SYNC_TOKEN: token } });
  const client = new SyncClient(shared);

  it('takes a feed from anywhere, whoever has handed it on', async () => {
    for (const headers of foreign) {
      const reply = await client.put(feed, { ...headers, Authorization: `Bearer ${token}` });
      expect(reply.status, JSON.stringify(headers)).to.equal(204);
    }
    expect(await client.documents()).to.deep.equal([{ _id: 'new' }]);
  });

  it('refuses whoever has not got it', () =>
    client.refused({ status: 401, code: 'unauthorized' }, () => client.put(feed)));
});
