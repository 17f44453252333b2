import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { QuiesceError } from '#quiesce/errors.js';
import type { SpooledFeed } from '#quiesce/protocol/workers/mirror-job.js';
import { checkSteps, workOnFeed } from '#quiesce/worker/feed/items/handle.js';
import type { ItemSteps } from '#quiesce/worker/feed/items/messages.js';
import { scratchFolders } from '../../../scratch.ts';

describe('the work on the items of a feed', function () {
  this.timeout(60_000);
  const scratch = scratchFolders();
  let folder = '';
  beforeEach(() => (folder = scratch()));

  function module(code: string, name = 'items.mjs'): string {
    const file = join(folder, name);
    writeFileSync(file, code);
    return pathToFileURL(file).href;
  }

  function spooled(content: string | Buffer, more: Partial<SpooledFeed> = {}): SpooledFeed {
    const path = join(folder, '0-1-run.feed');
    writeFileSync(path, content);
    return { path, bytes: content.length, digest: 'd', format: 'json', coding: 'identity', uploadMs: 1, ...more };
  }

  const work = (feed: SpooledFeed, steps: ItemSteps, timeout = 50_000, maxBytes = 1e6): Promise<SpooledFeed> =>
    workOnFeed(feed, steps, { maxBytes, timeout });
  const refusal = (working: Promise<unknown>): Promise<QuiesceError> =>
    working.then(
      () => expect.fail('it was not refused'),
      (error: QuiesceError) => error,
    );

  it('writes what transform makes of each, which may take its time, and removes the feed', async () => {
    const transform = module(
      `export async function transform(item, index) { return { ...item, index, name: item.name.trim() }; }`,
    );
    const feed = spooled(gzipSync('{"id":1,"name":" a "}\n\n{"id":2,"name":"ü\\n"}\n'), {
      format: 'ndjson',
      coding: 'gzip',
    });
    const done = await work(feed, { transform });
    expect(JSON.parse(readFileSync(done.path, 'utf8'))).to.deep.equal([
      { id: 1, name: 'a', index: 0 },
      { id: 2, name: 'ü', index: 1 },
    ]);
    expect(done).to.include({ format: 'json', coding: 'identity', digest: 'd', bytes: feed.bytes, uploadMs: 1 });
    expect(done.itemsMs).to.be.above(0);
    expect([existsSync(feed.path), readdirSync(folder).includes('0-1-run.items.feed')]).to.deep.equal([false, true]);
    rmSync(done.path);
    const empty = await work(spooled('[]'), { transform });
    expect(readFileSync(empty.path, 'utf8')).to.equal('[]');
  });

  it('leaves the feed as it is where it is only validated', async () => {
    const feed = spooled('[{"id":9007199254740993}]');
    const done = await work(feed, { validate: { type: 'object', required: ['id'] } });
    expect(done).to.deep.include(feed);
    expect(readFileSync(done.path, 'utf8')).to.equal('[{"id":9007199254740993}]');
  });

  it('collects what is wrong, with pointers into the feed, and leaves no file', async () => {
    const steps = {
      transform: module(
        `export default (item) => { if (item.id === 1) throw new Error('no price'); return item.id === 2 ? undefined : item; };`,
      ),
      validate: { properties: { size: { maximum: 3 } } },
    };
    const items = [{ id: 0 }, { id: 1 }, { id: 2 }, { id: 3, size: 4 }, 7];
    const error = await refusal(work(spooled(JSON.stringify(items)), steps));
    expect(error).to.include({ code: 'invalid-feed' });
    expect(error.extra).to.deep.equal({
      errors: [
        { pointer: '/4', detail: 'an item has to be an object' },
        { pointer: '/1', detail: 'transform or validate failed: no price' },
        { pointer: '/2', detail: 'transform has to return an object, and returned nothing' },
        { pointer: '/3/size', detail: 'must be <= 3' },
      ],
      errorCount: 4,
    });
    expect(readdirSync(folder).filter((name) => name.endsWith('.feed'))).to.deep.equal([]);
  });

  it('refuses a feed that is no JSON as the mirror does, and a number that would be changed', async () => {
    const transform = module(`export const transform = (item) => item;`);
    expect(await refusal(work(spooled('[{"id":1},{"id":1,]'), { transform }))).to.include({ code: 'malformed-json' });
    const twice = await refusal(work(spooled('[{"id":1,"id":2}]'), { transform }));
    expect(twice).to.include({ code: 'invalid-feed' });
    const { message } = await refusal(work(spooled('[{"id":9007199254740993}]'), { transform }));
    expect(message).to.include('/0: transform would change the number 9007199254740993; send it as a string');
    expect(await refusal(work(spooled('[{"id":"aaaaaaaaaaaaaaaaaaaa"}]'), { transform }, 50_000, 30))).to.include({
      code: 'payload-too-large',
    });
  });

  it('ends one that never returns, and says at which item', async () => {
    const transform = module(`export const transform = (item) => { while (item.id === 2); return item; };`);
    const error = await refusal(work(spooled('[{"id":0},{"id":1},{"id":2}]'), { transform }, 5_000));
    expect(error).to.include({ code: 'run-timeout' });
    expect(error.message).to.match(
      /^transform of mirror\(\) had not come to an end after 5000 ms .* It was at item 2\./,
    );
    expect(readdirSync(folder).filter((name) => name.endsWith('.feed'))).to.deep.equal([]);
  });

  it('ends at once where the run has', async () => {
    const transform = module(`export const transform = () => new Promise(() => {});`);
    const over = new AbortController();
    const working = workOnFeed(
      spooled('[{"id":0}]'),
      { transform },
      { maxBytes: 100, timeout: 50_000, signal: over.signal },
    );
    over.abort(new QuiesceError('run-cancelled', 'an operator'));
    expect(await refusal(working)).to.include({ code: 'run-cancelled' });
  });

  it('says what is wrong with a module: not to be loaded, nothing exported, ends the thread, takes all memory', async () => {
    const cases: [code: string, why: RegExp][] = [
      [`throw new Error('no licence')`, /transform cannot use .*items\.mjs: no licence\. Nothing was changed/],
      [`export const other = 1`, /neither an export named transform nor a default one/],
      [`export const transform = 1`, /exports no function/],
      [`process.exit(3)`, /ended by itself, with code 3/],
    ];
    for (const [index, [code, why]] of cases.entries()) {
      const steps = { transform: module(code, `${index}-items.mjs`) };
      const { message } = await refusal(checkSteps(steps, 50_000));
      expect(message).to.match(why);
    }
    await checkSteps({ transform: module('export const transform = (i) => i', 'ok.mjs') }, 50_000);
    await checkSteps({ transform: module('exports.default = (i) => i; exports.__esModule = true', 'ok.cjs') }, 50_000);
  });
});
