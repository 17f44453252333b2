import { expect } from 'chai';
import { join } from 'node:path';
import pino from 'pino';
import type { AppConfig } from '#quiesce/config.js';
import type { FeedRequest, FetchedFeed } from '#quiesce/mirror/messages.js';
import { GridFeeds } from '#quiesce/primary/hosts/grid-feeds.js';
import { takeFeed } from '#quiesce/primary/hosts/take-feed.js';
import { RunStore } from '#quiesce/primary/runs/history/history.js';
import { Journal, type JournalEntry } from '#quiesce/primary/runs/recovery/journal.js';
import { SyncRuns } from '#quiesce/primary/runs/feeds/feed-runs.js';
import type { MirrorThread } from '#quiesce/mirror/handle.js';
import type { RunRecord } from '#quiesce/protocol/api/runs.js';
import { scratchFolders } from '../../scratch.ts';

const startedAt = '2026-01-01T00:00:00.000Z';
const log = pino({ level: 'silent' });

const entry: JournalEntry = {
  run: 'r',
  state: 'accepted',
  startedAt,
  feed: { path: '/a/feed', bytes: 2, digest: 'x', format: 'json', coding: 'gzip', uploadMs: 1 },
  mirror: { collection: 'resources', key: 'id', extendedJson: false, maxDeletes: 7 },
  settings: { strategy: 'scan', atomic: false, maxBytes: 10, conflictTimeout: 1, databaseTimeout: 2 },
};
const record: RunRecord = { id: 'r', kind: 'sync', state: 'uploading', collection: 'resources', startedAt };

/** A GridFS that keeps what is stored beside one feed. */
class Grid {
  readonly asked: FeedRequest['do'][] = [];
  readonly kept = new Map<string, string>();
  digest = 'x';
  readonly config = {
    mongodb: { uri: 'mongodb://127.0.0.1:1/', db: null },
    sync: { databaseTimeout: 1 },
  } as unknown as AppConfig;

  async feeds(request: FeedRequest): Promise<FetchedFeed | null> {
    this.asked.push(request.do);
    if (request.do === 'keep' || request.do === 'mark') this.kept.set(request.run, request.entry);
    if (request.do === 'forget') this.kept.delete(request.run);
    return request.do === 'fetch' ? { entry: this.kept.get(request.run)!, digest: this.digest } : null;
  }

  host(): GridFeeds {
    return new GridFeeds({ config: this.config, cluster: 'site', thread: () => this, record: () => record, log });
  }
}

describe('the feeds of a cluster', () => {
  const scratch = scratchFolders();

  it('are kept once, and go when their run has ended and the site document says so as well', async () => {
    const grid = new Grid();
    const feeds = grid.host();
    feeds.look('r');
    await feeds.put(entry);
    await feeds.put({ ...entry, state: 'writing' });
    expect(feeds.has('r')).to.equal(true);
    await feeds.remove('r');
    expect(grid.asked).to.deep.equal(['sweep', 'keep']);
    feeds.look(null);
    expect(grid.asked).to.deep.equal(['sweep', 'keep', 'forget']);
    expect(feeds.has('r')).to.equal(false);
  });

  it('tell another host all that the run needs, and where its `before` has run', async () => {
    const grid = new Grid();
    await grid.host().put({ ...entry, before: true });
    const folder = scratch();
    const other = grid.host();
    const known = { ...entry, state: 'writing', feed: { ...entry.feed, path: join(folder, 'taken-r') } };
    expect(await other.fetch('r', folder)).to.deep.equal({ entry: { ...known, before: true }, record });
    const owner = grid.host();
    await owner.put({ ...entry, before: true });
    await owner.put({ ...entry, state: 'writing' });
    expect((await other.fetch('r', folder)).entry).to.deep.equal(known);
    grid.digest = 'another';
    const refused = await other.fetch('r', folder).catch((error: Error) => error);
    expect(refused).to.include({ code: 'run-failed' });
  });

  /** What a host has of the run that it has taken over. */
  async function taken(by: JournalEntry): Promise<{ runs: RunStore; sync: SyncRuns; journal: Journal }> {
    const grid = new Grid();
    await grid.host().put(by);
    const dataDir = scratch({ 'spool/.keep': '' });
    const runs = await RunStore.open(join(dataDir, 'runs'), log);
    const journal = await Journal.open(join(dataDir, 'journal'));
    const config = { ...grid.config, dataDir } as AppConfig;
    const sync = new SyncRuns({ config, runs, journal, log, thread: () => grid as unknown as MirrorThread });
    await takeFeed('r', { feeds: grid.host(), runs, sync, log });
    return { runs, sync, journal };
  }

  it('are in the journal of the host that goes on with one, before it writes', async () => {
    const { runs, sync, journal } = await taken(entry);
    expect(sync.keeps('r')).to.equal(true);
    expect((await journal.unfinished()).map(({ run, state }) => ({ run, state }))).to.deep.equal([
      { run: 'r', state: 'writing' },
    ]);
    expect(runs.get('r')).to.include({ state: 'rolling-forward', collection: 'resources' });
  });

  it('are not written elsewhere before their `before` has run: only the worker that got one can call it', async () => {
    const { runs, sync, journal } = await taken({ ...entry, before: true });
    expect(sync.keeps('r')).to.equal(false);
    expect(await journal.unfinished()).to.deep.equal([]);
    expect(runs.get('r')?.error).to.include({ code: 'run-failed' });
  });
});
