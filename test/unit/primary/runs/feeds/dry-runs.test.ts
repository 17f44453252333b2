import { expect } from 'chai';
import type { AppConfig } from '#quiesce/config.js';
import { MirrorError, type MirrorThread } from '#quiesce/mirror/handle.js';
import type { SpooledFeed } from '#quiesce/protocol/workers/mirror-job.js';
import { DryRuns } from '#quiesce/primary/runs/feeds/dry-runs.js';

describe('a dry run', () => {
  const config = {
    name: 'app',
    dataDir: '/nonexistent',
    mongodb: { uri: 'mongodb://127.0.0.1:1/', db: null },
    sync: { runTimeout: 50 },
  } as unknown as AppConfig;
  const counts = { inserted: 1, updated: 2, deleted: 3, unchanged: 4 };
  const feed: SpooledFeed = { path: '/f', bytes: 2, digest: 'x', format: 'json', coding: 'identity', uploadMs: 1 };
  const mirror = { collection: 'resources', key: 'id', extendedJson: false };
  const [a, b] = [0, 1].map((slot) => ({ slot, incarnation: 1 })) as [Worker, Worker];
  type Worker = { slot: number; incarnation: number };

  const dryRuns = (thread: Partial<MirrorThread> = {}): DryRuns =>
    new DryRuns(
      { config },
      () =>
        ({
          prepare: () => Promise.resolve({ items: 7, prepareMs: 1 }),
          plan: () => Promise.resolve({ counts, scanMs: 1 }),
          close: () => Promise.resolve(),
          ...thread,
        }) as MirrorThread,
    );
  const codeOf = async (call: () => unknown): Promise<unknown> => {
    try {
      await call();
      return null;
    } catch (error) {
      return (error as { code: string }).code;
    }
  };

  it('is one in the whole cluster, from before its upload until its end', async () => {
    let goOn = (_value: unknown): void => {};
    const runs = dryRuns({ plan: () => new Promise((resolve) => (goOn = resolve as typeof goOn)) });
    runs.begin(a);
    expect(await codeOf(() => runs.begin(b)), 'another worker').to.equal('run-in-progress');
    expect(await codeOf(() => runs.begin(a)), 'the same worker').to.equal('run-in-progress');
    const report = runs.run(a, feed, mirror);
    runs.end(a); // its worker goes while the feed is compared
    expect(await codeOf(() => runs.begin(b)), 'while it is compared').to.equal('run-in-progress');
    goOn({ counts, scanMs: 1 });
    expect((await report).counts).to.deep.equal(counts);
    expect(await codeOf(() => runs.begin(b))).to.equal(null);
  });

  it('gives its place back where its upload comes to nothing, and nobody else gives it back', async () => {
    const runs = dryRuns();
    runs.begin(a);
    runs.end(b);
    expect(await codeOf(() => runs.begin(b))).to.equal('run-in-progress');
    runs.end(a);
    expect(await codeOf(() => runs.begin(b))).to.equal(null);
    expect(await codeOf(() => runs.run(a, feed, mirror)), 'of who has not begun one').to.equal('bad-request');
  });

  it('gives its place back where the feed is wrong', async () => {
    const wrong = new MirrorError('invalid-feed', 'no list', false);
    const runs = dryRuns({ prepare: () => Promise.reject(wrong) });
    runs.begin(a);
    expect(await codeOf(() => runs.run(a, feed, mirror))).to.equal('invalid-feed');
    expect(await codeOf(() => runs.begin(b))).to.equal(null);
  });

  it('ends with its thread after sync.run_timeout, however stuck that is', async () => {
    let fail = (_error: unknown): void => {};
    const runs = dryRuns({
      prepare: () => new Promise((_resolve, reject) => (fail = reject)),
      close: () => Promise.resolve(fail(new MirrorError('stopping', 'closed', false))),
    });
    runs.begin(a);
    expect(await codeOf(() => runs.run(a, feed, mirror))).to.equal('run-timeout');
    expect(await codeOf(() => runs.begin(b))).to.equal(null);
  });
});
