import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mock } from 'node:test';
import { expect } from 'chai';
import { completeSource, type FeedSourceSettings } from '#quiesce/config/values/source-members.js';
import { QuiesceError, type ErrorCode } from '#quiesce/errors.js';
import { FeedSources } from '#quiesce/primary/source/sources.js';
import { until } from '../../../process/harness/until.ts';
import { scratchFolders } from '../../scratch.ts';

const scratch = scratchFolders();

/** Of a time that comes in a moment, and then not for a day: so a failure is tried again. */
function inAMoment(): string {
  const at = new Date(Date.now() + 2_000);
  return `${at.getSeconds()} ${at.getMinutes()} ${at.getHours()} * * *`;
}

/** One source whose fetches fail as they are told, and then succeed. Its waits are noted, and take no time. */
function site(
  given: Partial<FeedSourceSettings>,
  failures: readonly ErrorCode[],
  { random = 0, waitsFor = Infinity } = {},
) {
  const folder = scratch();
  for (const name of ['work', 'spool']) mkdirSync(join(folder, name));
  const seen = { waits: [] as number[], fetched: 0, mirrored: 0, failures: [] as string[], states: new Set<string>() };
  const log = (): void => {};
  const sources = new FeedSources({
    workDir: join(folder, 'work'),
    spoolDir: join(folder, 'spool'),
    maxBytes: () => 1_000,
    fetch: async ({ target: path, url }) => {
      const failure = failures[seen.fetched++];
      if (failure !== undefined) throw new QuiesceError(failure, `it is ${failure}`);
      writeFileSync(path, '[]');
      const feed = { path, bytes: 2, digest: '', format: 'json', coding: 'identity', uploadMs: 1 } as const;
      return { type: 'fetched', feed, known: { url, etag: null, lastModified: null } };
    },
    worker: () => ({ slot: 1, incarnation: 1 }),
    deliver: async () => `r${++seen.mirrored}`,
    runs: {
      get: (id) => ({ id, kind: 'sync', state: 'succeeded', startedAt: '' }),
      find: () => undefined,
      onAny: () => {},
      confirm: async () => {},
    },
    isTaken: () => false,
    obstacle: () => null,
    noRun: async () => {},
    ticks: { wins: async () => true },
    onFailure: (_source, { code }) => void seen.failures.push(code),
    log: { info: log, warn: log, error: log },
    random: () => random,
    wait: async (ms, signal) => {
      seen.waits.push(ms);
      for (const { state } of sources.status()) seen.states.add(state);
      if (seen.waits.length <= waitsFor) return;
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    },
  });
  const settings = { ...completeSource({ url: 'https://feeds.example/a', cron: inAMoment() }), ...given };
  sources.use([settings], 'configuration');
  return { sources, seen };
}

describe('the times at which a feed is fetched', function () {
  this.timeout(20_000);

  it('are those of the pattern and up to `jitter` later, and after a failure that may pass once more, later each time', async () => {
    const late = site({ jitter: 60_000 }, ['fetch-failed', 'database-unavailable'], { random: 0.5 });
    const vain = site({}, ['paused', 'paused', 'paused', 'paused']);
    const wrong = site({}, ['invalid-feed']);
    const stopped = site({}, ['fetch-failed', 'fetch-failed'], { waitsFor: 1 });
    const isOver = (): boolean =>
      late.seen.mirrored === 1 &&
      vain.seen.failures.length === 1 &&
      wrong.seen.failures.length === 1 &&
      stopped.seen.waits.length === 2;
    await until('all are over', isOver, { within: 15_000 });
    for (const { sources } of [late, vain, wrong, stopped]) sources.close();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(late.seen).to.deep.include({ waits: [30_000, 10_000, 60_000], fetched: 3, failures: [] });
    expect([...late.seen.states]).to.include('retrying');
    expect(vain.seen).to.deep.include({ waits: [0, 8_000, 48_000, 240_000], fetched: 4, failures: ['paused'] });
    expect(wrong.seen).to.deep.include({ waits: [0], fetched: 1, failures: ['invalid-feed'] });
    expect(stopped.seen, 'it is not tried again').to.deep.include({ waits: [0, 8_000], fetched: 1, failures: [] });
  });

  it('are of the time zone: right after the gap of spring, and in autumn once, the first time', () => {
    const next = (now: string): string | undefined => {
      mock.timers.enable({ apis: ['Date'], now: new Date(now) });
      const { sources } = site({ cron: '30 2 * * *', timezone: 'Europe/Berlin' }, []);
      const [status] = sources.status();
      sources.close();
      mock.timers.reset();
      return status!.next;
    };
    expect(next('2026-03-28T12:00:00Z')).to.equal('2026-03-29T01:00:00.000Z'); // 03:00, where 02:00 was skipped
    expect(next('2026-03-29T01:00:01Z')).to.equal('2026-03-30T00:30:00.000Z');
    expect(next('2026-10-24T12:00:00Z')).to.equal('2026-10-25T00:30:00.000Z'); // 02:30 of summer
    expect(next('2026-10-25T00:30:01Z'), 'not at 02:30 of winter').to.equal('2026-10-26T01:30:00.000Z');
  });
});
