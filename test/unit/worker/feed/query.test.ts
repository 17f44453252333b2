import { expect } from 'chai';
import { readSyncQuery } from '#quiesce/worker/feed/query.js';

describe('the query of a PUT /api/sync', () => {
  const read: Record<string, ReturnType<typeof readSyncQuery>> = {
    '//': { dryRun: false, maxDeletes: null, items: null },
    '/?': { dryRun: false, maxDeletes: null, items: null },
    '/?dryRun=true&maxDeletes=7': { dryRun: true, maxDeletes: 7, items: null },
    '/?maxDeletes=0': { dryRun: false, maxDeletes: 0, items: null },
    // As the documents write it, and as a client encodes it.
    '/?maxDeletes=100%': { dryRun: false, maxDeletes: '100%', items: null },
    '/?maxDeletes=2.5%25': { dryRun: false, maxDeletes: '2.5%', items: null },
    '/?items=/data/products': { dryRun: false, maxDeletes: null, items: '/data/products' },
    '/?items=': { dryRun: false, maxDeletes: null, items: '' },
    '/?maxDeletes=50%&dryRun=true': { dryRun: true, maxDeletes: '50%', items: null },
  };
  for (const [url, query] of Object.entries(read)) {
    it(`is read from ${url}`, () => expect(readSyncQuery(url)).to.deep.equal(query));
  }

  for (const value of ['data', '/~2', '/a&items=/b']) {
    it(`is refused with items=${value}`, () =>
      expect(() => readSyncQuery(`/?items=${value}`)).to.throw('items must be given once'));
  }

  for (const value of ['', 'all', '-1', '1.5', '101%', '100.5%', '1e3', '9007199254740993', '5&maxDeletes=5']) {
    it(`is refused with maxDeletes=${value}`, () =>
      expect(() => readSyncQuery(`/?maxDeletes=${value}`)).to.throw('maxDeletes must be given once'));
  }
});
