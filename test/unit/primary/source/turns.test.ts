import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import type { FeedSourceSettings } from '#quiesce/config/values/source-members.js';
import { FeedSources } from '#quiesce/primary/source/sources.js';
import { mayClaim, obstacleIn } from '#quiesce/primary/source/start.js';
import type { State } from '#quiesce/primary/maintenance/machine/state.js';
import type { RunRecord } from '#quiesce/protocol/api/runs.js';
import { until } from '../../../process/harness/until.js';
import { scratchFolders } from '../../scratch.ts';

const of = (collection: string): FeedSourceSettings => ({
  url: `https://feeds.example/${collection}`,
  cron: '* * * * * *',
  timezone: null,
  jitter: 0,
  headers: {},
  timeout: 1000,
  format: null,
  collection,
});
const scratch = scratchFolders();

/** Two sources with one schedule. Each run goes on until the test ends it. */
function site(noRun: (signal: AbortSignal) => Promise<void>) {
  const folder = scratch();
  for (const name of ['work', 'spool']) mkdirSync(join(folder, name));
  const runs: RunRecord[] = [];
  let heard = (_run: RunRecord): void => {};
  const log = (): void => {};
  const sources = new FeedSources({
    workDir: join(folder, 'work'),
    spoolDir: join(folder, 'spool'),
    maxBytes: () => 1000,
    fetch: async ({ url, target }) => {
      writeFileSync(target, '[]');
      const feed = { path: target, bytes: 2, digest: '', format: 'json', coding: 'identity', uploadMs: 1 } as const;
      return { type: 'fetched', feed, known: { url, etag: '"1"', lastModified: null } };
    },
    worker: () => ({ slot: 0, incarnation: 1 }),
    deliver: async (_id, _worker, { collection }) => {
      const id = `run of ${collection}`;
      runs.push({ id, kind: 'sync', state: 'running', collection: collection!, startedAt: '' });
      return id;
    },
    runs: {
      get: (id) => runs.find((run) => run.id === id),
      find: (isLike) => runs.findLast(isLike),
      onAny: (listener) => void (heard = listener),
      confirm: async () => {},
    },
    isTaken: () => false,
    obstacle: () => null,
    noRun,
    ticks: { wins: async () => true },
    onFailure: () => {},
    log: { info: log, warn: log, error: log },
    random: () => 0,
  });
  sources.use([of('a'), of('b')], 'configuration');
  const waiting = (): number => readdirSync(join(folder, 'work')).length;
  const end = (index: number): void => heard((runs[index] = { ...runs[index]!, state: 'succeeded' }));
  return { sources, runs, waiting, end };
}

describe('sources with one schedule', function () {
  this.timeout(30_000);

  it('are mirrored one after another: the feed of the second waits, stored, for the end of the first run', async () => {
    const { sources, runs, waiting, end } = site(async () => {});
    await until('both are fetched', () => runs.length === 1 && waiting() === 1);
    await delay(50);
    expect(runs, 'one at a time').to.have.length(1);
    end(0);
    await until('the second is mirrored', () => runs.length === 2);
    expect(runs.map(({ collection }) => collection)).to.have.members(['a', 'b']);
    sources.close();
  });

  it('wait for the end of another run, and leave no feed behind where the site stops meanwhile', async () => {
    const { sources, runs, waiting } = site(
      (signal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    );
    await until('both are fetched', () => waiting() === 2);
    await delay(50);
    expect(runs).to.have.length(0);
    sources.close();
    await until('their feeds are removed', () => waiting() === 0);
  });

  it('wait for runs of this host and pauses for those of others, and while the primary may be replaced', () => {
    const state = { run: null, site: null, phase: 'serving', stopping: false, handingOver: false } as unknown as State;
    const elsewhere = { ...state, phase: 'quiesced', site: { kind: 'sync' } } as State;
    expect(mayClaim(state)).to.equal(true);
    for (const busy of [{ ...state, run: {} } as State, elsewhere, { ...state, handingOver: true }])
      expect([mayClaim(busy), obstacleIn(busy)]).to.deep.equal([false, null]);
    expect(mayClaim({ ...elsewhere, stopping: true }), 'its source is closed').to.equal(true);
    const held = { ...state, phase: 'quiesced', site: { kind: 'operator' } } as State;
    expect([mayClaim(held), obstacleIn(held)], 'a hold is not waited for').to.deep.equal([true, 'the site is held']);
  });
});
