import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import type { FeedSourceSettings } from '#quiesce/config/values/source-members.js';
import { QuiesceError, type ErrorCode } from '#quiesce/errors.js';
import type { FetchJob } from '#quiesce/primary/source/messages.js';
import { nextAttempt } from '#quiesce/primary/source/retries.js';
import { SourceProgress } from '#quiesce/primary/source/source-status.js';
import { FeedSources } from '#quiesce/primary/source/sources.js';
import { obstacleIn, servingWorker } from '#quiesce/primary/source/start.js';
import type { State } from '#quiesce/primary/maintenance/machine/state.js';
import type { RunRecord } from '#quiesce/protocol/api/runs.js';
import { scratchFolders } from '../../scratch.ts';

const settings: FeedSourceSettings = {
  url: 'https://me:secret@feeds.example/a?k=secret',
  cron: '* * * * * *',
  timezone: null,
  jitter: 0,
  headers: {},
  timeout: 1000,
  format: null,
  collection: null,
};
const scratch = scratchFolders();

async function isEmpty(folder: string): Promise<void> {
  while (readdirSync(folder).length > 0) await delay(5);
}

/** A site in which each fetch does what it is told, and that counts until there are as many as are waited for. */
function site(answers: readonly ('feed' | '304' | ErrorCode)[], ends: readonly RunRecord['state'][] = []) {
  const folder = scratch();
  for (const name of ['work', 'spool']) mkdirSync(join(folder, name));
  const seen = {
    jobs: [] as FetchJob[],
    delivered: [] as string[],
    failures: [] as string[],
    texts: [] as string[],
    obstacle: null as string | null,
    wins: true,
    due: [] as { what: string; at: number }[],
    dies: false,
    incarnation: 2,
    onJob: (): void => {},
    unchanged: 0,
    heard: (_run: RunRecord): void => {},
    taken: false,
  };
  const runs: RunRecord[] = [];
  let done: () => void = () => {};
  const over = new Promise<void>((resolve) => (done = resolve));
  const log = (_fields: object, text: string): void => void seen.texts.push(text);
  const sources = new FeedSources({
    workDir: join(folder, 'work'),
    spoolDir: join(folder, 'spool'),
    maxBytes: () => 1000,
    fetch: async (job) => {
      const answer = answers[seen.jobs.length] ?? 'feed';
      seen.jobs.push(job);
      seen.onJob();
      // A feed is delivered yet, for which files are moved.
      if (seen.jobs.length === answers.length && answer !== 'feed') setTimeout(done, 50);
      await Promise.resolve();
      if (answer === '304') return { type: 'unchanged' };
      writeFileSync(job.target, 'a part');
      if (answer !== 'feed') throw new QuiesceError(answer, `it is ${answer}`);
      writeFileSync(job.target, '[]');
      const feed = { path: job.target, bytes: 2, digest: '', format: 'json', coding: 'identity', uploadMs: 1 } as const;
      const { url } = job;
      return { type: 'fetched', feed, known: { url, etag: `"${seen.jobs.length}"`, lastModified: null } };
    },
    worker: () => ({ slot: 1, incarnation: seen.incarnation }),
    deliver: async (_id, _worker, { feed }) => {
      seen.delivered.push(feed.path);
      if (seen.jobs.length === answers.length) setTimeout(done, 50);
      if (seen.dies) throw new QuiesceError('fetch-failed', 'the worker has gone');
      const id = `r${seen.delivered.length}`;
      const state = ends[seen.delivered.length - 1] ?? 'succeeded';
      runs.push({ id, kind: 'sync', state, collection: 'a', startedAt: '' });
      return id;
    },
    runs: {
      get: (id) => runs.find((run) => run.id === id),
      find: (isLike) => runs.findLast(isLike),
      onAny: (listener) => void (seen.heard = listener),
      confirm: async () => void seen.unchanged++,
    },
    isTaken: () => seen.taken,
    obstacle: () => seen.obstacle,
    noRun: async () => {},
    ticks: {
      wins: async (what, at) => {
        seen.due.push({ what, at });
        return seen.wins;
      },
    },
    onFailure: (source, { code }) => seen.failures.push(`${source} ${code}`),
    log: { info: log, warn: log, error: log },
    random: () => 0,
  });
  // Its timers keep nothing alive.
  const alive = setInterval(() => {}, 1000);
  const close = (): void => {
    sources.close();
    clearInterval(alive);
  };
  return { sources, seen, runs, over, folder, close };
}

describe('a source of feeds', function () {
  this.timeout(20_000);

  it('asks whether the feed has changed since its own run, as long as nothing else has been mirrored', async () => {
    const { sources, seen, runs, over, close, folder } = site(['feed', '304', '304', 'feed']);
    sources.use([settings], 'configuration');
    sources.use([{ ...settings }], 'configuration');
    await new Promise<void>((resolve) => {
      const look = setInterval(() => {
        if (seen.jobs.length < 3) return;
        clearInterval(look);
        runs.push({ id: 'put', kind: 'sync', state: 'failed', collection: 'a', startedAt: '' });
        resolve();
      }, 5);
    });
    await over;
    close();
    expect(seen.jobs.map(({ known }) => known?.etag ?? null)).to.deep.equal([null, '"1"', '"1"', null]);
    expect(seen.delivered).to.have.length(2);
    expect(seen.delivered[0]).to.match(/\/spool\/1-2-[^/]+\.feed$/);
    expect(seen.texts.join()).to.include('https://feeds.example/a?…').and.not.include('secret');
    await isEmpty(join(folder, 'work'));
  });

  it('asks for the feed anew where it may come to something else now: a reload, or a command that had the site for itself', async () => {
    const { sources, seen, runs, over, close } = site(['feed', '304', 'feed', '304', 'feed']);
    const before: Record<number, () => void> = {
      2: () => (seen.incarnation = 3), // while the server is asked: its 304 says nothing any more
      4: () => void runs.push({ id: 'x', kind: 'exclusive', state: 'succeeded', startedAt: '' }),
    };
    seen.onJob = () => before[seen.jobs.length]?.();
    sources.onChange(() => {
      if (seen.jobs.length === 4 && seen.unchanged === 1 && runs.every(({ kind }) => kind !== 'exec'))
        runs.push({ id: 'y', kind: 'exec', state: 'succeeded', startedAt: '' });
    });
    sources.use([settings], 'configuration');
    await over;
    close();
    expect(seen.jobs.map(({ known }) => known?.etag ?? null)).to.deep.equal([null, '"1"', null, '"3"', null]);
    expect(seen.unchanged, 'an exclusive handler is of the app').to.equal(1);
    expect(seen.delivered).to.have.length(3);
  });

  it('asks for the feed anew after a later run with an earlier id, as a clock that was set back gives it', async () => {
    const { sources, seen, runs, over, close } = site(['feed', '304', 'feed']);
    seen.onJob = () => {
      if (seen.jobs.length !== 3) return;
      const put = { id: '0', kind: 'sync', state: 'succeeded', collection: 'a', startedAt: '' } as const;
      runs.unshift(put);
      seen.heard(put);
    };
    sources.use([settings], 'configuration');
    await over;
    close();
    expect(seen.jobs.map(({ known }) => known?.etag ?? null)).to.deep.equal([null, '"1"', '"1"']);
    expect(seen.delivered, 'asked for again at once').to.have.length(2);
  });

  it('asks for the feed anew after a time at which another host has fetched it', async () => {
    const { sources, seen, over, close } = site(['feed', 'feed']);
    sources.use([settings], 'configuration');
    while (seen.delivered.length < 1) await delay(5);
    seen.wins = false;
    const before = seen.due.length;
    while (seen.due.length === before) await delay(5);
    await delay(50);
    seen.wins = true;
    await over;
    close();
    expect(seen.jobs[1]!.known, 'the collection may hold something else').to.equal(null);
  });

  it('tells of a feed that is wrong at once, and asks for it anew after a run that failed', async () => {
    const { sources, seen, over, close, folder } = site(['payload-too-large', 'feed', 'feed'], ['failed']);
    sources.use([settings], 'configuration');
    await over;
    close();
    const shown = 'https://feeds.example/a?…';
    expect(seen.failures).to.deep.equal([`${shown} payload-too-large`, `${shown} run-failed`]);
    expect(seen.jobs[2]!.known).to.equal(null);
    await isEmpty(join(folder, 'work'));
  });

  it('tells when it comes next, and what became of it last', async () => {
    const { sources, seen, over, close } = site(['fetch-failed']);
    const told: (string | undefined)[] = [];
    sources.onChange(() => told.push(sources.status()[0]?.state));
    const collection = 'a';
    sources.use([{ ...settings, cron: '0 0 1 1 *', collection, scope: { t: 1 } }], 'configuration');
    const [first] = sources.status();
    expect(first).to.deep.equal({
      source: 'https://feeds.example/a?…',
      collection,
      scope: { t: 1 },
      state: 'waiting',
      next: new Date(new Date().getFullYear() + 1, 0, 1).toISOString(),
    });
    sources.use([settings], 'configuration');
    await over;
    const [failed] = sources.status();
    expect(failed).to.include({ state: 'waiting' }); // the next time comes before another try would
    expect(failed!.last).to.include({ outcome: 'failed', code: 'fetch-failed', reason: 'it is fetch-failed' });
    expect(Date.parse(failed!.next!)).to.be.closeTo(Date.now(), 1_500);
    expect(told).to.include.members(['waiting', 'fetching']);
    close();
    expect(seen.delivered).to.deep.equal([]);

    const again = site(['feed', '304']);
    again.sources.use([settings], 'configuration');
    await new Promise<void>((resolve) => {
      again.sources.onChange(() => again.sources.status()[0]?.last?.outcome === 'mirrored' && resolve());
    });
    expect(again.sources.status()[0]!.last).to.include({ run: 'r1' });
    await again.over;
    again.close();
  });

  it('is tried again, and tells when', () => {
    const progress = new SourceProgress(() => {});
    progress.retrying(new QuiesceError('fetch-failed', 'it was slow'), 10_000);
    const { state, next, last } = progress.status('https://a.example/', settings, { nextRun: () => null });
    expect(state).to.equal('retrying');
    expect(Date.parse(next!)).to.be.closeTo(Date.now() + 10_000, 1_000);
    expect(last).to.include({ outcome: 'failed', reason: 'it was slow' });
    progress.done(null);
    const done = progress.status('https://a.example/', settings, { nextRun: () => null });
    expect(done.last!.outcome).to.equal('unchanged');
    expect(done).to.not.have.any.keys('next', 'collection', 'scope');
  });

  it('leaves the file to the run where a worker dies that has handed it over', async () => {
    for (const taken of [true, false]) {
      const { sources, seen, over, close, folder } = site(['feed']);
      Object.assign(seen, { dies: true, taken });
      sources.use([settings], 'configuration');
      await over;
      close();
      await isEmpty(join(folder, 'work'));
      if (taken) expect(readdirSync(join(folder, 'spool'))).to.have.length(1);
      else await isEmpty(join(folder, 'spool'));
    }
  });

  it('fetches nothing where no run could start, or another host fetches', async () => {
    const { sources, seen, close } = site([]);
    seen.obstacle = 'the site is held';
    sources.use([settings], 'configuration');
    while (seen.failures.length < 1) await delay(5);
    expect(seen.failures).to.deep.equal(['https://feeds.example/a?… paused']);
    seen.wins = false;
    for (const before = seen.due.length; seen.due.length === before;) await delay(5);
    close();
    expect(seen.failures).to.have.length(1);
    expect(seen.jobs).to.deep.equal([]);
    expect(seen.due.length).to.be.above(1);
    for (const { what, at } of seen.due) {
      expect(what, 'nothing of its address').to.match(/^source [0-9a-f]{16}$/);
      expect(at % 1_000, 'the time of the schedule').to.equal(0);
    }
  });

  it('is tried again where the failure may pass, later each time, and not for ever', () => {
    expect([1, 2, 3, 4].map((failures) => nextAttempt('fetch-failed', failures, 0.5))).to.deep.equal([
      10_000,
      60_000,
      300_000,
      null,
    ]);
    expect(nextAttempt('run-in-progress', 1, 0)).to.equal(8_000);
    for (const code of ['invalid-feed', 'payload-too-large', 'too-many-deletes', 'run-failed'] as const)
      expect(nextAttempt(code, 1, 0)).to.equal(null);
  });

  it('is for a worker that serves, while the site does', () => {
    const worker = (slot: number, gate: string, greeted = true): object => ({ slot, incarnation: 1, gate, greeted });
    const workers = [worker(0, 'shut'), worker(1, 'open', false), worker(2, 'open')];
    const state = {
      run: null,
      site: null,
      phase: 'serving',
      stopping: false,
      workers: new Map(workers.map((one, i) => [String(i), one])),
    } as unknown as State;
    expect(servingWorker(state, () => true)?.slot).to.equal(2);
    expect(servingWorker({ ...state, workers: new Map() }, () => true)).to.equal(null);
    expect(obstacleIn(state)).to.equal(null);
    expect(obstacleIn({ ...state, phase: 'quiesced' })).to.equal('the site is held');
  });
});
