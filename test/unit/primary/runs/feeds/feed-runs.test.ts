import { expect } from 'chai';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import type { AppConfig } from '#quiesce/config.js';
import { MirrorError, type MirrorThread } from '#quiesce/mirror/handle.js';
import type { Prepared, Written } from '#quiesce/mirror/messages.js';
import { guardWrites } from '#quiesce/primary/data-dir/durable.js';
import { Journal, type JournalEntry } from '#quiesce/primary/runs/recovery/journal.js';
import { RunStore } from '#quiesce/primary/runs/history/history.js';
import { SyncRuns } from '#quiesce/primary/runs/feeds/feed-runs.js';
import { scratchFolders } from '../../../scratch.ts';

type Thread = Pick<MirrorThread, 'prepare' | 'past' | 'write' | 'cancel' | 'close'>;

describe('a run of the primary', () => {
  const scratch = scratchFolders();
  const startedAt = '2026-01-01T00:00:00.000Z';
  const counts = { inserted: 1, updated: 2, deleted: 3, unchanged: 4 };
  const prepared: Prepared = {
    items: 7,
    bytes: 2,
    prepareMs: 1,
    fenceEpoch: 3,
    needsPause: true,
    strategy: 'scan',
  };
  const written: Written = { counts, strategy: 'scan', scanMs: 1, writeMs: 1 };

  /** `finished` resolves with the first event that says so. */
  async function setUp(mirror: Partial<Thread>, state: JournalEntry['state'], epoch?: number) {
    const dataDir = scratch();
    const log = pino({ level: 'silent' });
    const journal = await Journal.open(join(dataDir, 'journal'));
    const runs = await RunStore.open(join(dataDir, 'runs'), log);
    const thread: Thread = {
      prepare: () => Promise.resolve(prepared),
      past: () => Promise.resolve({ wrote: true, finished: null }),
      write: () => Promise.resolve(written),
      cancel: () => Promise.resolve(),
      close: () => Promise.resolve(),
      ...mirror,
    };
    const config = {
      name: 'app',
      dataDir,
      mongodb: { uri: 'mongodb://127.0.0.1:1/', db: null },
      sync: { databaseTimeout: 1_000 },
      maintenance: {},
      heartbeat: {},
    } as unknown as AppConfig;
    const sync = new SyncRuns({ config, runs, journal, log, thread: () => ({ ...thread }) as MirrorThread });
    let tell: { prepared(): void; finished(error: string | null): void };
    const isPrepared = new Promise<void>((resolve) => (tell = { ...tell, prepared: resolve }));
    const finished = new Promise<string | null>((resolve) => (tell = { ...tell, finished: resolve }));
    sync.connect({
      dispatch: (event) => (event.type === 'finished' ? tell.finished(event.error) : tell.prepared()),
      refused: () => 0,
      epoch: () => 8,
    });
    const entry: JournalEntry = {
      run: 'r',
      state,
      startedAt,
      epoch,
      feed: { path: join(dataDir, 'feed'), bytes: 2, digest: 'x', format: 'json', coding: 'identity', uploadMs: 1 },
      mirror: { collection: 'resources', key: 'id', extendedJson: false },
    };
    runs.add({ id: 'r', kind: 'sync', state: 'rolling-forward', startedAt });
    await journal.put(entry);
    sync.restore(entry);
    return { sync, journal, dataDir, isPrepared, finished };
  }

  it('that was only accepted before is in the journal as begun when the next primary writes it', async () => {
    const states: string[] = [];
    const { sync, journal, finished } = await setUp(
      {
        write: async () => {
          states.push(...(await journal.unfinished()).map(({ state }) => state));
          return written;
        },
      },
      'accepted',
    );
    sync.write('r', 5);
    expect(await finished).to.equal(null);
    expect(states).to.deep.equal(['writing']);
  });

  for (const { known, epoch, fenceEpoch, written: used } of [
    { known: undefined, epoch: 5, fenceEpoch: 3, written: 5 },
    { known: 9, epoch: 10, fenceEpoch: 3, written: 10 },
    { known: undefined, epoch: 5, fenceEpoch: 70, written: 71 },
  ]) {
    it(`takes the fence with ${used} in the pause ${epoch} where that had ${fenceEpoch}, and the journal knows before`, async () => {
      const seen: unknown[] = [];
      const { sync, journal, finished } = await setUp(
        {
          prepare: () => Promise.resolve({ ...prepared, fenceEpoch }),
          write: async (_run, fence) => {
            seen.push(fence, await journal.newestEpoch());
            return written;
          },
        },
        'writing',
        known,
      );
      sync.write('r', epoch);
      expect(await finished).to.equal(null);
      expect(seen).to.deep.equal([used, used]);
    });
  }

  it('has its epoch in the journal before the pause, so that none need be written in it', async () => {
    const { sync, journal, isPrepared } = await setUp({}, 'accepted');
    sync.prepare('r');
    await isPrepared;
    expect(await journal.newestEpoch()).to.equal(9);
  });

  it('is not written where the lock is lost while its epoch is put into the journal, or after that', async () => {
    for (const before of [false, true]) {
      let writes = 0;
      const write = () => Promise.resolve((writes++, written));
      const { sync, journal, dataDir, isPrepared, finished } = await setUp({ write }, 'accepted');
      if (before) {
        sync.prepare('r');
        await isPrepared;
      }
      const isKept = () => /"epoch":/.test(readFileSync(join(dataDir, 'journal', 'r.json'), 'utf8'));
      const release = guardWrites(dataDir, isKept);
      sync.write('r', 9);
      expect(await finished).to.equal('lock-lost');
      release();
      expect([writes, await journal.newestEpoch()]).to.deep.equal([0, 9]);
    }
  });

  it('leaves its feed, and those that were on their way, to the primary that has the lock now', async () => {
    const worker = { slot: 0, incarnation: 1 };
    const feed = { bytes: 2, digest: 'x', format: 'json', coding: 'identity', uploadMs: 1 } as const;
    const mirror = { collection: 'resources', key: 'id', extendedJson: false };
    const { sync, dataDir } = await setUp({}, 'writing');
    mkdirSync(sync.spoolDir);
    const upload = join(sync.spoolDir, '0-1-upload.feed'); // of the successor's worker with the same name
    for (const file of [join(dataDir, 'feed'), upload]) writeFileSync(file, '[]');
    const release = guardWrites(dataDir, () => true);
    await sync.discard('r');
    await sync.gone(worker);
    await sync.dryRun(worker, { ...feed, path: upload }, mirror).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 20));
    release();
    expect([...readdirSync(dataDir), ...readdirSync(sync.spoolDir)]).to.include.members(['feed', '0-1-upload.feed']);
    await sync.gone(worker);
    expect(readdirSync(sync.spoolDir), 'as long as the lock is ours they go').to.deep.equal([]);
  });

  it('that does not let go while it is prepared takes its thread with it, and the next run gets another one at once', async () => {
    const closed: number[] = [];
    const stuck = new Promise<never>(() => {});
    const { sync } = await setUp(
      {
        prepare: () => stuck,
        cancel: () => stuck,
        close: (grace) => Promise.resolve(void closed.push(grace ?? -1)),
      },
      'accepted',
    );
    const first = sync.mirror();
    sync.prepare('r');
    sync.cancel('r');
    expect(sync.mirror(), 'of the next run').to.not.equal(first);
    await new Promise((resolve) => setTimeout(resolve, 2_200));
    expect(closed).to.deep.equal([0]);
  });

  it('that was cancelled while it was prepared leaves no entry, even if its preparation ends well after that', async () => {
    let ready = (_value: Prepared): void => {};
    const { sync, journal } = await setUp(
      { prepare: () => new Promise<Prepared>((resolve) => (ready = resolve)) },
      'accepted',
    );
    sync.prepare('r');
    sync.cancel('r');
    await sync.discard('r');
    ready(prepared);
    await new Promise((resolve) => setImmediate(resolve));
    await journal.remove('another'); // whatever was put before it is there now
    expect(await journal.unfinished()).to.deep.equal([]);
  });

  it('that proves to be whole when it is rolled forward tells what it had done', async () => {
    let tries = 0;
    const { sync, finished } = await setUp(
      {
        prepare: async () => {
          if (tries++ === 0) throw new MirrorError('database-unavailable', 'gone', false);
          return { ...prepared, needsPause: false, counts };
        },
      },
      'writing',
    );
    sync.write('r', 5);
    expect(await finished).to.equal(null);
    expect(sync.report('r', null, { workers: 1, refused: 0 })?.counts).to.deep.equal(counts);
  });

  it('that a former primary was about to write ends with what is wrong with it, where nothing had been written', async () => {
    const refused = new MirrorError('too-many-deletes', 'It would delete everything.', false);
    const { sync, finished } = await setUp(
      {
        prepare: () => Promise.reject(refused),
        past: () => Promise.resolve({ wrote: false, finished: null }),
      },
      'writing',
    );
    sync.write('r', 5);
    expect(await finished).to.equal('too-many-deletes');
  });

  it('that a former primary has finished is whole, though its feed is gone', async () => {
    const { sync, finished } = await setUp(
      {
        prepare: () => Promise.reject(new MirrorError('run-failed', 'A file of the run is gone.', false)),
        past: () => Promise.resolve({ wrote: true, finished: counts }),
      },
      'writing',
    );
    sync.write('r', 5);
    expect(await finished).to.equal(null);
    expect(sync.report('r', null, { workers: 1, refused: 0 })?.counts).to.deep.equal(counts);
  });
});
