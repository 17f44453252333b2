/** A swap is one rename, in no transaction: its answer may be lost, and with it whoever waited for that. */
import { expect } from 'chai';
import { MirrorThread } from '#quiesce/mirror/handle.js';
import { mongo } from '../harness/mongodb/mongo.ts';
import { MongoProxy } from '../harness/mongodb/mongo-proxy.ts';
import { refusal, useMirror } from './harness.ts';

const feed = [{ id: 1, v: 1 }, { id: 2 }, { id: 4 }];
const counts = { inserted: 1, updated: 1, deleted: 1, unchanged: 1 };
const mirrored = [{ _id: 1, v: 1 }, { _id: 2 }, { _id: 4 }];

describe('a swap whose rename is made, and', function () {
  this.timeout(30_000);
  const mirrors = useMirror();
  let proxy: MongoProxy;
  let other: MirrorThread;

  beforeEach(async () => {
    proxy = await MongoProxy.start((await mongo()).uri);
    other = new MirrorThread({ onProgress: () => {}, log: { warn: () => {} } });
    await mirrors.db.collection<{ _id: number }>('resources').insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3 }]);
  });
  afterEach(async () => {
    await other.close();
    await proxy.close();
  });

  const jobOf = (databaseTimeout = 10_000) =>
    mirrors.job(feed, { uri: proxy.uri, strategy: 'swap', databaseTimeout, atomic: false });
  const copies = () => mirrors.db.listCollections({ name: /^quiesce\.staging\./ }).toArray();

  it('whose answer is lost with the connection reports what it has done', async () => {
    const job = await jobOf();
    await mirrors.thread.prepare(job);
    proxy.loseReplyTo('renameCollection');
    const written = await mirrors.thread.write(job.run, mirrors.nextEpoch());
    expect(written).to.deep.include({ counts, strategy: 'swap' });
    expect(await mirrors.stored()).to.deep.equal(mirrored);
  });

  it('whose answer is lost with MongoDB for longer than is waited is half done until somebody can ask', async () => {
    const job = await jobOf(300);
    await mirrors.thread.prepare(job);
    proxy.loseReplyTo('renameCollection', () => proxy.goAway());
    const refused = await refusal(mirrors.thread.write(job.run, mirrors.nextEpoch()));
    expect(refused).to.include({ code: 'database-unavailable', dirty: true });
    await proxy.comeBack();
    expect(await mirrors.thread.prepare(job)).to.deep.include({ needsPause: false, counts });
  });

  it('whose thread is killed at once is found finished by the next one, which takes back nothing', async () => {
    const job = await jobOf();
    await mirrors.thread.prepare(job);
    proxy.loseReplyTo('renameCollection', () => mirrors.thread.close(0));
    await refusal(mirrors.thread.write(job.run, mirrors.nextEpoch()));
    await mirrors.db.collection<{ _id: number }>('resources').insertOne({ _id: 9 }); // of the app
    const again = { ...job, uri: mirrors.uri };
    expect(await other.past(again, mirrors.nextEpoch())).to.deep.equal({ wrote: true, finished: counts });
    expect(await other.prepare(again)).to.deep.include({ needsPause: false, counts });
    expect((await other.write(again.run, mirrors.nextEpoch())).counts).to.deep.equal(counts);
    expect(await mirrors.stored()).to.deep.equal([...mirrored, { _id: 9 }]);
  });

  it('which has not come to be made is not made by anybody later, and the run is carried out otherwise', async () => {
    const job = await jobOf();
    await mirrors.thread.prepare(job);
    const [copy] = await copies();
    await mirrors.db.dropCollection(copy!.name);
    const written = await mirrors.thread.write(job.run, mirrors.nextEpoch());
    expect(written).to.deep.include({ counts, strategy: 'scan' });
    expect(await mirrors.stored()).to.deep.equal(mirrored);
    expect(await copies()).to.deep.equal([]);
  });

  it('which never was, with the thread killed before it, is begun anew', async () => {
    const job = await jobOf();
    await mirrors.thread.prepare(job);
    proxy.loseReplyTo('copy\0', () => mirrors.thread.close(0)); // the fence was told of it
    await refusal(mirrors.thread.write(job.run, mirrors.nextEpoch()));
    const again = { ...job, uri: mirrors.uri };
    expect(await other.past(again, mirrors.nextEpoch())).to.deep.equal({ wrote: false, finished: null });
    expect(await copies()).to.deep.equal([]);
    expect((await other.prepare(again)).needsPause).to.equal(true);
    expect(await other.write(again.run, mirrors.nextEpoch())).to.deep.include({ counts, strategy: 'swap' });
    expect(await mirrors.stored()).to.deep.equal(mirrored);
  });
});
