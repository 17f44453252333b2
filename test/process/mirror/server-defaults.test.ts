/** Whatever a server's defaults say of reading and writing, each command of the mirror says it for itself. */
import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { MongoClient, type Document } from 'mongodb';
import { mongo } from '../harness/mongodb/mongo.ts';
import { MongoProxy } from '../harness/mongodb/mongo-proxy.ts';
import { SentCommands } from '../harness/mongodb/sent-commands.ts';
import { useMirror } from './harness.ts';

const reads = new Set(['find', 'aggregate']);
const writes = new Set(['insert', 'update', 'delete', 'findAndModify', 'create', 'createIndexes', 'drop']);
writes.add('renameCollection').add('commitTransaction').add('abortTransaction');
/** MongoDB has no default for them; `getMore` goes on as its cursor was opened. */
const others = new Set(['getMore', 'killCursors', 'killSessions', 'endSessions', 'listCollections', 'listIndexes']);
for (const name of ['hello', 'ping', 'connectionStatus', 'serverStatus']) others.add(name);

/** What a command leaves to the server, or null. */
function leftOpen(command: Document): string | null {
  const name = Object.keys(command)[0]!;
  const { readConcern, writeConcern, startTransaction, autocommit, $readPreference } = command;
  const mode: unknown = $readPreference?.mode ?? 'primary';
  // Over a direct connection the driver makes `primary` of the handshake's commands a preference.
  if (mode !== 'primary' && mode !== 'primaryPreferred') return `${name} reads from ${String(mode)}`;
  const isEnd = name === 'commitTransaction' || name === 'abortTransaction';
  if (autocommit === false && !isEnd)
    return startTransaction && !readConcern?.level ? `${name} begins a transaction with no read concern` : null;
  if (reads.has(name)) return readConcern?.level ? null : `${name} has no read concern: ${JSON.stringify(command)}`;
  if (writes.has(name)) return writeConcern?.w ? null : `${name} has no write concern: ${JSON.stringify(command)}`;
  return others.has(name) ? null : `${name} is not known to this test`;
}

describe('a mirror on a server with setDefaultRWConcern', function () {
  this.timeout(60_000);
  const mirrors = useMirror();
  const sent = new SentCommands();
  let proxy: MongoProxy;
  let client: MongoClient;
  let wasReadConcern: string;

  before(async function () {
    this.timeout(120_000);
    const { uri } = await mongo();
    client = new MongoClient(uri);
    const admin = client.db('admin');
    wasReadConcern = (await admin.command({ getDefaultRWConcern: 1 }))['defaultReadConcern'].level;
    await setDefaults({ w: 1 }, 'available');
    proxy = await MongoProxy.start(uri, sent.take);
  });
  after(async () => {
    await proxy.close();
    await setDefaults({ w: 'majority' }, wasReadConcern); // as it is where nothing was set
    await client.close();
  });

  async function setDefaults(defaultWriteConcern: Document, level: string): Promise<void> {
    const defaultReadConcern = { level };
    await client.db('admin').command({
      setDefaultRWConcern: 1,
      defaultWriteConcern,
      defaultReadConcern,
      writeConcern: { w: 'majority' },
    });
  }

  it('leaves nothing to it: each command has its own read concern or write concern', async () => {
    const { uri } = proxy;
    const { name: db, thread } = mirrors;
    await mirrors.db.createCollection('resources', { validator: { v: { $type: 'number' } } });
    await mirrors.db.collection('resources').createIndex({ u: 1 }, { unique: true, sparse: true });
    const hash = createHash('sha256').update('resources').digest('hex').slice(0, 12);
    await mirrors.db.createCollection(`quiesce.staging.${hash}.left`);
    await thread.check({ uri, db, timeout: 10_000 });
    let v = 0;
    const feed = (): Document[] => [
      { id: 1, v: ++v, u: 'a' },
      { id: 10 + v, v, u: 'b' },
      { id: 2, v: 0 },
    ];
    for (const strategy of ['two-phase', 'scan', 'swap', 'auto'] as const)
      for (const atomic of [true, false])
        await mirrors.mirror(feed(), { uri, strategy, atomic: strategy === 'swap' ? 'auto' : atomic });
    // So many writes that `auto` thinks of a swap, and looks who follows the collection.
    await mirrors.mirror(
      Array.from({ length: 20_000 }, (_, id) => ({ id, v })),
      { uri, strategy: 'auto', collection: 'many' },
    );
    // With a scope, as a dry run, and as what a former primary has left.
    const scoped = feed().map((item) => ({ ...item, tenant: 'a' }));
    await mirrors.mirror(scoped, { uri, scope: { tenant: 'a' }, collection: 'scoped', strategy: 'two-phase' });
    const dry = await mirrors.job(feed(), { uri, dryRun: true });
    await thread.prepare(dry);
    await thread.plan(dry.run);
    await thread.past(await mirrors.job(feed(), { uri }), mirrors.nextEpoch());

    const names = new Set(sent.list.map((command) => Object.keys(command)[0]!));
    const seen = ['find', 'aggregate', 'insert', 'update', 'delete', 'findAndModify', 'create', 'createIndexes'];
    expect([...names]).to.include.members([...seen, 'drop', 'renameCollection', 'commitTransaction', 'listIndexes']);
    const stages = sent.list.flatMap(({ pipeline }) => Object.keys(pipeline?.[0] ?? {}));
    expect(stages).to.include.members(['$changeStream', '$documents', '$currentOp']);
    expect(sent.list.map(leftOpen).filter((fault) => fault !== null)).to.deep.equal([]);
  });
});
