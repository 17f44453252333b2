import { brotliCompressSync, gzipSync } from 'node:zlib';
import { expect } from 'chai';
import type { MirrorJob } from '#quiesce/mirror/messages.js';
import { leftovers, refusal, useMirror, type Feed } from './harness.ts';

interface Bad {
  readonly feed: Feed;
  readonly more?: Partial<MirrorJob>;
  readonly code: string;
}

const bad: Record<string, Bad> = {
  'an empty body': { feed: '', code: 'malformed-json' },
  'a truncated array': { feed: '[{"id":1},{"id"', code: 'malformed-json' },
  'no JSON at all': { feed: '<html></html>', code: 'malformed-json' },
  'an object': { feed: '{"id":1}', code: 'invalid-feed' },
  'NDJSON under the wrong name': { feed: '{"id":1}\n{"id":2}', code: 'malformed-json' },
  'an item without a key': { feed: [{ id: 1 }, { name: 'x' }], code: 'invalid-feed' },
  'a key twice': { feed: '[{"id":1},{"id":1.0}]', code: 'invalid-feed' },
  'bytes that are no UTF-8': { feed: Buffer.from('5b7b226964223a22ff227d5d', 'hex'), code: 'malformed-json' },
  'UTF-16': { feed: Buffer.from('[{"id":1}]', 'utf16le'), code: 'malformed-json' },
  'a depth of 100,000': { feed: `[{"id":1,"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}]`, code: 'invalid-feed' },
  'a document over 16 MiB': { feed: `[{"id":1,"s":"${'x'.repeat(17 * 1024 * 1024)}"}]`, code: 'invalid-feed' },
  'a gzip stream that is cut off': {
    feed: gzipSync('[{"id":1}]').subarray(0, -9),
    more: { coding: 'gzip' },
    code: 'malformed-json',
  },
  'a brotli stream that is none': { feed: 'garbage', more: { coding: 'br' }, code: 'malformed-json' },
  'a gzip bomb': {
    feed: gzipSync(Buffer.alloc(50_000_000, ' ')),
    more: { coding: 'gzip', maxBytes: 1_000_000 },
    code: 'payload-too-large',
  },
  'a brotli bomb': {
    feed: brotliCompressSync(Buffer.alloc(50_000_000, ' ')),
    more: { coding: 'br', maxBytes: 1_000_000 },
    code: 'payload-too-large',
  },
  'more bytes than are allowed': {
    feed: `[{"id":"${'x'.repeat(1000)}"}]`,
    more: { maxBytes: 1000 },
    code: 'payload-too-large',
  },
  'a broken line of NDJSON': { feed: '{"id":1}\n{"id":', more: { format: 'ndjson' }, code: 'malformed-json' },
  'a missing feed of NDJSON': { feed: '', more: { format: 'ndjson' }, code: 'malformed-json' },
  'an object without the array': { feed: '{"data":{}}', more: { items: '/data/items' }, code: 'invalid-feed' },
  'an object that is cut off behind its items': {
    feed: '{"items":[{"id":1}]',
    more: { items: '/items' },
    code: 'malformed-json',
  },
  'an item outside the scope': {
    feed: [{ id: 1, tenant: 'b' }],
    more: { scope: { tenant: 'a' } },
    code: 'invalid-feed',
  },
  'a collection of the server': { feed: [], more: { collection: 'system.profile' }, code: 'bad-config' },
  'the collection of the fences': { feed: [], more: { collection: 'quiesce.fence' }, code: 'bad-config' },
};

describe('a mirror refuses, before anything is paused or changed,', function () {
  this.timeout(30_000);
  const mirrors = useMirror();

  for (const [what, { feed, more, code }] of Object.entries(bad)) {
    it(what, async () => {
      await mirrors.mirror([{ id: 'before' }]);
      const refused = await refusal(mirrors.thread.prepare(await mirrors.job(feed, more)));
      expect(refused.code).to.equal(code);
      expect(refused.dirty).to.equal(false);
      if (code === 'invalid-feed') {
        const errors = refused.extra['errors'] as { pointer: string; detail: string }[];
        expect(errors).to.have.lengthOf(1);
        expect(refused.extra['errorCount']).to.equal(1);
      }
      expect(await mirrors.stored()).to.deep.equal([{ _id: 'before' }]);
      expect(await leftovers(mirrors)).to.deep.equal([]);
    });
  }

  it('a feed full of faults, of which it tells the first twenty', async () => {
    const feed = Array.from({ length: 1000 }, (_, i) => (i % 2 === 0 ? { id: i } : { name: i }));
    const refused = await refusal(mirrors.mirror(feed));
    expect(refused.code).to.equal('invalid-feed');
    expect(refused.extra['errorCount']).to.equal(500);
    expect(refused.extra['errors']).to.have.lengthOf(20);
    expect((refused.extra['errors'] as unknown[])[0]).to.deep.equal({
      pointer: '/1',
      detail: 'the key “id” is missing',
    });
  });

  it('items under a path, each with its whole pointer', async () => {
    const items = '/data/items';
    await mirrors.mirror('{"data":{"items":[{"id":1}]},"total":1}', { items });
    expect(await mirrors.stored()).to.deep.equal([{ _id: 1 }]);
    await mirrors.db.collection('resources').createIndex({ n: 1 }, { unique: true });
    for (const bad of [
      [{ id: 1 }, { name: 'x' }],
      [
        { id: 2, n: 1 },
        { id: 3, n: 1 },
      ],
    ]) {
      const refused = await refusal(mirrors.mirror(JSON.stringify({ data: { items: bad } }), { items }));
      expect(refused.extra['errors']).to.have.nested.property('[0].pointer', '/data/items/1');
    }
  });

  it('a view, a capped collection and one with a collation', async () => {
    await mirrors.db.createCollection('plain');
    await mirrors.db.createCollection('view', { viewOn: 'plain', pipeline: [] });
    await mirrors.db.createCollection('capped', { capped: true, size: 4096 });
    await mirrors.db.createCollection('collated', { collation: { locale: 'en', strength: 1 } });
    for (const collection of ['view', 'capped', 'collated']) {
      expect((await refusal(mirrors.mirror([{ id: 1 }], { collection }))).code).to.equal('bad-config');
    }
  });

  it('more deletions than are allowed', async () => {
    await mirrors.mirror([{ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 }]);
    for (const maxDeletes of [1, '49%', 0, '0%']) {
      const refused = await refusal(mirrors.mirror([{ id: 1 }, { id: 2 }], { maxDeletes }));
      expect(refused.code).to.equal('too-many-deletes');
      expect(refused.dirty).to.equal(false);
      expect(await mirrors.stored()).to.have.lengthOf(4);
    }
    await mirrors.mirror([{ id: 1 }, { id: 2 }], { maxDeletes: '50%' });
    expect(await mirrors.stored()).to.have.lengthOf(2);
  });
});

describe('a mirror that is told nothing of deletions', function () {
  this.timeout(30_000);
  const mirrors = useMirror();
  const many = Array.from({ length: 250 }, (_, id) => ({ id }));

  for (const strategy of ['scan', 'two-phase', 'swap', 'auto'] as const) {
    it(`refuses an empty feed and less than half of one, before the pause (${strategy})`, async () => {
      await mirrors.mirror(many);
      for (const feed of [[], many.slice(0, 124)]) {
        for (const dryRun of [false, true]) {
          const job = await mirrors.job(feed, { strategy, dryRun });
          const { thread } = mirrors;
          const call = dryRun ? thread.prepare(job).then(() => thread.plan(job.run)) : thread.prepare(job);
          const refused = await refusal(call);
          expect(refused).to.include({ code: 'too-many-deletes', dirty: false });
          expect(refused.extra).to.deep.equal({ deletes: 250 - feed.length, stored: 250 });
          await thread.cancel(job.run);
        }
      }
      expect(await mirrors.stored()).to.have.lengthOf(250);
      await mirrors.mirror(many.slice(0, 125), { strategy });
      await mirrors.mirror(many.slice(0, 50), { strategy });
      expect(await mirrors.stored()).to.have.lengthOf(50);
      await mirrors.mirror([], { strategy });
      expect(await mirrors.stored()).to.have.lengthOf(0);
    });
  }

  it('does as it is told then', async () => {
    for (const maxDeletes of ['100%', 250]) {
      await mirrors.mirror(many);
      await mirrors.mirror([], { maxDeletes });
      expect(await mirrors.stored()).to.have.lengthOf(0);
    }
  });

  it('counts what is in its scope only', async () => {
    const scope = { tenant: 'a' };
    await mirrors.mirror(many, { scope });
    await mirrors.mirror(
      many.map(({ id }) => ({ id: `b${id}` })),
      { scope: { tenant: 'b' } },
    );
    const refused = await refusal(mirrors.mirror(many.slice(0, 124), { scope }));
    expect(refused.extra).to.deep.equal({ deletes: 126, stored: 250 });
  });
});

describe('a mirror takes', function () {
  this.timeout(30_000);
  const mirrors = useMirror();
  const good: Record<string, { feed: Feed; more?: Partial<MirrorJob> }> = {
    'a byte order mark': { feed: '\ufeff[{"id":1}]' },
    'whitespace all around': { feed: ' \r\n\t[ { "id" : 1 } \n ] \n' },
    gzip: { feed: gzipSync('[{"id":1}]'), more: { coding: 'gzip' } },
    brotli: { feed: brotliCompressSync('[{"id":1}]'), more: { coding: 'br' } },
    'NDJSON with blank lines and without a last newline': { feed: '\n{"id":1}\r\n\n', more: { format: 'ndjson' } },
    'a key of another name': { feed: '[{"code":1}]', more: { key: 'code' } },
    'a key that is called _id': { feed: '[{"_id":1}]', more: { key: '_id' } },
  };
  for (const [what, { feed, more }] of Object.entries(good)) {
    it(what, async () => {
      await mirrors.mirror(feed, more);
      expect(await mirrors.stored()).to.deep.equal([{ _id: 1 }]);
    });
  }
});
