import { expect } from 'chai';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import type { AppConfig } from '#quiesce/config.js';
import { guardWrites } from '#quiesce/primary/data-dir/durable.js';
import { RunStore } from '#quiesce/primary/runs/history/history.js';
import { Journal } from '#quiesce/primary/runs/recovery/journal.js';
import { jobOf } from '#quiesce/primary/runs/feeds/mirror-job.js';
import { storedRuns } from '#quiesce/primary/runs/history/stored-runs.js';
import { takeOver } from '#quiesce/primary/runs/take-over.js';
import { scratchFolders } from '../../scratch.ts';

describe('a primary that has lost its lock', () => {
  const scratch = scratchFolders();
  const log = pino({ level: 'silent' });
  const startedAt = new Date(0).toISOString();

  it('removes no run from the history, not even where it loses the lock between two of its steps', async () => {
    const dataDir = scratch();
    const dir = join(dataDir, 'runs');
    const store = await RunStore.open(dir, log, 1);
    store.add({ id: 'a', kind: 'sync', state: 'running', startedAt });
    await store.end('a', { state: 'succeeded' });
    const release = guardWrites(dataDir, () => existsSync(join(dir, 'b.json')));
    store.add({ id: 'b', kind: 'sync', state: 'running', startedAt });
    await store.end('b', { state: 'succeeded' });
    release();
    expect(readdirSync(dir)).to.deep.equal(['a.json', 'b.json']);
  });

  it('removes no draft of its successor, and reading the history removes none at all', async () => {
    const dataDir = scratch();
    for (const name of ['runs', 'journal']) {
      const dir = join(dataDir, name);
      const draft = join(dir, 'a.json.1234');
      mkdirSync(dir);
      writeFileSync(draft, '{');
      await storedRuns(dir, () => {});
      expect(existsSync(draft), 'after it was read').to.equal(true);
      const open = (): Promise<unknown> => (name === 'runs' ? RunStore.open(dir, log) : Journal.open(dir));
      let asked = 0;
      const release = guardWrites(dataDir, () => (asked += 1) > 1); // after the folder was made
      const error = await open().catch((thrown: unknown) => thrown);
      release();
      expect(error).to.include({ code: 'lock-lost' });
      expect(existsSync(draft), 'after the lock was lost').to.equal(true);
      await open();
      expect(existsSync(draft), 'with the lock').to.equal(false);
    }
  });

  it('shares no folder of work with its successor, which removes what it left', async () => {
    const dataDir = scratch();
    const config = { dataDir, mongodb: { uri: 'mongodb://127.0.0.1:1/' }, sync: {} } as unknown as AppConfig;
    const feed = { path: 'x', bytes: 2, digest: 'x', format: 'json', coding: 'identity', uploadMs: 1 } as const;
    const { workDir, owner } = jobOf(config, 'r', feed, { collection: 'resources', key: 'id', extendedJson: false });
    expect(workDir, 'its owner is no other primary').to.equal(join(dataDir, 'work', owner));
    mkdirSync(join(workDir, 'r'), { recursive: true });
    const journal = await Journal.open(join(dataDir, 'journal'));
    const runs = await RunStore.open(join(dataDir, 'runs'), log);
    await takeOver({ dataDir, journal, runs, sync: null as never, log });
    expect(readdirSync(join(dataDir, 'work'))).to.deep.equal([]);
  });
});
