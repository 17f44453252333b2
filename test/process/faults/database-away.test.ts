/** The driver gives a client up for good whose first connection fails, so that moment is the one to test. */
import { expect } from 'chai';
import { useClusters } from '../harness/clusters/clusters.ts';
import { json, problemIn, send } from '../harness/clients/lines.ts';
import { mongo } from '../harness/mongodb/mongo.ts';
import { MongoProxy } from '../harness/mongodb/mongo-proxy.ts';

describe('a database that has gone away before it was first used', function () {
  this.timeout(60_000);
  const clusters = useClusters();
  let proxy: MongoProxy;

  beforeEach(async () => {
    proxy = await MongoProxy.start((await mongo()).uri);
  });
  afterEach(() => proxy.close());

  it('is told of with 503 and changes nothing, and is used again as soon as it is back', async () => {
    const { database } = clusters;
    const cluster = await clusters.start({
      instances: 1,
      quiesce: { mongodb: { uri: proxy.uri, db: database.name }, sync: { database_timeout: '500ms' } },
    });
    const put = { method: 'PUT', headers: json, body: '[{"id":"one"}]' };
    await proxy.goAway();
    const replies = await Promise.all([
      send(`${cluster.url}/api/sync`, put),
      send(`${cluster.url}/api/sync?dryRun=true`, put),
      send(`${cluster.url}/api/resources`),
    ]);
    for (const reply of replies) {
      expect(reply.status, reply.text).to.equal(503);
      expect(problemIn(reply)).to.include({ code: 'database-unavailable' });
      expect(Number(reply.headers['retry-after'])).to.be.at.least(1);
    }
    expect(await cluster.status()).to.include({ phase: 'serving', epoch: 0 });
    await proxy.comeBack();
    expect(await database.db.collection('resources').countDocuments()).to.equal(0);
    expect((await send(`${cluster.url}/api/sync`, put)).status).to.equal(204);
    expect(JSON.parse((await send(`${cluster.url}/api/resources`)).text)).to.deep.equal({
      items: [{ id: 'one' }],
      next: null,
    });
  });
});
