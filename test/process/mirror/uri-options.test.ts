/** Whatever a connection string says of reading, writing and pooling, a feed is mirrored as without it. */
import { expect } from 'chai';
import { MongoClient } from 'mongodb';
import { refusal, useMirror } from './harness.ts';

const strings = {
  'what a hosting company hands out': 'readPreference=secondaryPreferred&retryWrites=true&w=majority&appName=shop',
  'all that would make a run fail or slow':
    'readPreference=secondary&readPreferenceTags=dc:ny&maxStalenessSeconds=90&readConcernLevel=linearizable&w=5&journal=false&wtimeoutMS=1&maxPoolSize=1&minPoolSize=1&maxConnecting=1&waitQueueTimeoutMS=1&socketTimeoutMS=1&timeoutMS=1&connectTimeoutMS=1&serverSelectionTimeoutMS=1&retryWrites=false&retryReads=false&raw=true&promoteValues=false',
  'how to get there': 'directConnection=true&compressors=zlib&zlibCompressionLevel=1&heartbeatFrequencyMS=1000',
};

describe('a connection string with', function () {
  this.timeout(60_000);
  const mirrors = useMirror();

  for (const [what, options] of Object.entries(strings)) {
    it(`${what} changes nothing of a mirror`, async () => {
      const uri = `${mirrors.uri}&${options}`;
      const reachable = await mirrors.thread.check({ uri, db: mirrors.name, timeout: 10_000 });
      expect(reachable.fenceEpoch).to.equal(0);
      await mirrors.mirror([{ id: 1, v: 1 }, { id: 2 }], { uri });
      for (const [v, strategy] of (['two-phase', 'scan', 'swap'] as const).entries()) {
        const startedAt = performance.now();
        const { counts } = await mirrors.mirror([{ id: 1, v: `${v}` }, { id: 3 + v }], { uri, strategy });
        expect(counts).to.deep.equal({ inserted: 1, updated: 1, deleted: 1, unchanged: 0 });
        expect(performance.now() - startedAt, strategy).to.be.lessThan(5_000);
      }
      expect(await mirrors.stored()).to.deep.equal([{ _id: 1, v: '2' }, { _id: 5 }]);
    });
  }

  it('w=0, or with an option that there is not, is refused at once, and not as a server that does not run', async () => {
    for (const options of ['w=0', 'readPreferences=primary']) {
      const refused = await refusal(mirrors.thread.check({ uri: `${mirrors.uri}&${options}`, timeout: 1_000 }));
      expect(refused.code, refused.message).to.equal('bad-config');
    }
  });

  it('directConnection to a member that takes no writes is refused when the database is checked', async () => {
    const client = new MongoClient(mirrors.uri);
    const admin = client.db('admin');
    try {
      await admin.command({ replSetStepDown: 60, force: true });
      const uri = `${mirrors.uri}&directConnection=true`;
      const refused = await refusal(mirrors.thread.check({ uri, timeout: 1_000 }));
      expect(refused.code).to.equal('database-unavailable');
      expect(refused.message).to.include('directConnection');
    } finally {
      const direct = new MongoClient(`${mirrors.uri}&directConnection=true`);
      await direct.db('admin').command({ replSetFreeze: 0 }, { readPreference: 'secondaryPreferred' });
      await direct.close();
      await admin.command({ ping: 1 }); // until it is primary again
      await client.close();
    }
  });
});
