import { expect } from 'chai';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Journal, type JournalEntry } from '#quiesce/primary/runs/recovery/journal.js';

describe('the journal', () => {
  let dir: string;
  let journal: Journal;

  beforeEach(async () => {
    dir = join(await mkdtemp(join(tmpdir(), 'quiesce-')), 'journal');
    journal = await Journal.open(dir);
  });
  afterEach(() => rm(join(dir, '..'), { recursive: true }));

  const entry = (run: string, state: JournalEntry['state']): JournalEntry => ({
    run,
    state,
    startedAt: '2026-01-01T00:00:00.000Z',
    feed: { path: `/spool/${run}`, bytes: 2, digest: 'x', format: 'json', coding: 'identity', uploadMs: 1 },
    mirror: { collection: 'resources', key: 'id', extendedJson: false },
  });

  it('gives back what has not ended, the oldest first, to whoever opens it next', async () => {
    await Promise.all([
      journal.put(entry('b', 'accepted')),
      journal.put(entry('a', 'accepted')),
      journal.put(entry('a', 'writing')),
    ]);
    expect(await (await Journal.open(dir)).unfinished()).to.deep.equal([entry('a', 'writing'), entry('b', 'accepted')]);
    await journal.remove('a');
    expect(await journal.unfinished()).to.deep.equal([entry('b', 'accepted')]);
  });

  it('takes effect in the order of the calls', async () => {
    const done: string[] = [];
    void journal.put(entry('a', 'writing')).then(() => done.push('put'));
    void journal.remove('a').then(() => done.push('removed'));
    await journal.put(entry('b', 'accepted'));
    expect(done).to.deep.equal(['put', 'removed']);
    expect((await journal.unfinished()).map(({ run }) => run)).to.deep.equal(['b']);
  });

  it('goes on after a write that failed', async () => {
    await rm(dir, { recursive: true });
    let failed: unknown;
    await journal.put(entry('a', 'accepted')).catch((error: unknown) => (failed = error));
    expect(failed).to.include({ code: 'insufficient-storage' });
    await Journal.open(dir);
    await journal.put(entry('b', 'accepted'));
    expect((await journal.unfinished()).map(({ run }) => run)).to.deep.equal(['b']);
  });

  it('is closed to others, and removes what an interrupted write has left', async () => {
    await journal.put(entry('a', 'accepted'));
    await writeFile(join(dir, 'a.json.123'), 'half');
    await Journal.open(dir);
    expect(await readdir(dir)).to.deep.equal(['a.json']);
    expect((await stat(join(dir, 'a.json'))).mode & 0o777).to.equal(0o600);
    expect((await stat(dir)).mode & 0o777).to.equal(0o700);
  });

  it('does not guess what an entry means that cannot be read', async () => {
    await writeFile(join(dir, 'a.json'), '{"run":');
    let error: unknown;
    await journal.unfinished().catch((caught: unknown) => (error = caught));
    expect(error).to.include({ code: 'data-dir-unusable' });
    expect(String(error)).to.include(join(dir, 'a.json'));
  });
});
