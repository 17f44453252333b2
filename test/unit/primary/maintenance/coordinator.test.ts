import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import pino from 'pino';
import type { AppConfig } from '#quiesce/config.js';
import { QuiesceError } from '#quiesce/errors.js';
import type { MirrorThread } from '#quiesce/mirror/handle.js';
import type { Prepared, Written } from '#quiesce/mirror/messages.js';
import type { Move } from '#quiesce/primary/live/observers.js';
import { Coordinator } from '#quiesce/primary/maintenance/coordinator.js';
import type { OutgoingMessage } from '#quiesce/primary/ports.js';
import { SyncRuns } from '#quiesce/primary/runs/feeds/feed-runs.js';
import { workerSettingsOf } from '#quiesce/primary/fleet/worker-settings.js';
import { RunStore } from '#quiesce/primary/runs/history/history.js';
import { newRunId } from '#quiesce/primary/runs/history/id.js';
import { Journal } from '#quiesce/primary/runs/recovery/journal.js';
import type { FromWorker, RequestBody } from '#quiesce/protocol/workers/messages.js';
import { scratchFolders } from '../../scratch.ts';

type Reply = Extract<OutgoingMessage, { type: 'reply' }>;

describe('the coordinator', () => {
  const scratch = scratchFolders();
  const worker = { slot: 0, incarnation: 1 };
  const stranger = { slot: 1, incarnation: 1 };
  const counts = { inserted: 1, updated: 0, deleted: 0, unchanged: 0 };
  const prepared: Prepared = { items: 1, bytes: 2, prepareMs: 1, fenceEpoch: 0, needsPause: true, strategy: 'scan' };
  const written: Written = { counts, strategy: 'scan', scanMs: 1, writeMs: 1 };
  const mirror = { collection: 'resources', key: 'id', extendedJson: false };

  /** With two workers that have greeted, and that say nothing by themselves. */
  async function setUp(thread: Partial<MirrorThread> = {}) {
    const dataDir = scratch();
    const log = pino({ level: 'silent' });
    const runs = await RunStore.open(join(dataDir, 'runs'), log);
    const journal = await Journal.open(join(dataDir, 'journal'));
    const config = {
      name: 'app',
      dataDir,
      mongodb: { uri: 'mongodb://127.0.0.1:1/', db: null },
      sync: { databaseTimeout: 1_000 },
      maintenance: {},
      heartbeat: {},
    } as unknown as AppConfig;
    const sync = new SyncRuns({
      config,
      runs,
      journal,
      log,
      thread: () =>
        ({
          prepare: () => Promise.resolve(prepared),
          write: () => Promise.resolve(written),
          cancel: () => Promise.resolve(),
          close: () => Promise.resolve(),
          ...thread,
        }) as MirrorThread,
    });
    const rules = { drainTimeout: 60_000, onDrainTimeout: 'abort' as const, runTimeout: 60_000, uploadTimeout: 60_000 };
    const sent: [number, OutgoingMessage][] = [];
    const killed: number[] = [];
    const moves: Move[] = [];
    const coordinator = new Coordinator({
      rules,
      epoch: 0,
      kept: { operator: null, scheduled: null },
      port: {
        send: ({ slot }, message) => sent.push([slot, message]) > 0,
        pin: () => {},
        kill: ({ slot }) => void killed.push(slot),
      },
      runs,
      sync,
      settingsOf: () => workerSettingsOf(config),
      holdFile: null,
      onMove: (move) => void moves.push(move),
      log,
    });
    const say = (ref: typeof worker, message: object): void =>
      coordinator.message(ref, { quiesce: 1, ...ref, epoch: coordinator.state.epoch, ...message } as FromWorker);
    let id = 0;
    const request = (ref: typeof worker, body: RequestBody): (() => Reply | undefined) => {
      const mine = ++id;
      say(ref, { type: 'request', id: mine, body });
      return () => sent.map(([, message]) => message).find((each): each is Reply => 'id' in each && each.id === mine);
    };
    for (const ref of [worker, stranger]) {
      coordinator.forked(ref);
      say(ref, { type: 'hello', pid: 1 });
    }
    return {
      coordinator,
      rules,
      runs,
      journal,
      spool: join(dataDir, 'spool'),
      sent,
      moves,
      killed,
      request,
      drained: () => {
        for (const ref of [worker, stranger]) say(ref, { type: 'drained' });
      },
      async claim(kind: 'sync' | 'exclusive' = 'sync'): Promise<string> {
        const reply = request(worker, { op: 'claim', kind, method: 'PUT', path: '/api/sync' });
        if (kind === 'sync') await until(() => reply() !== undefined);
        return coordinator.state.run!.id;
      },
      submission: (run: string, path = join(dataDir, 'spool', '0-1-feed.feed')): RequestBody => ({
        op: 'submit',
        run,
        feed: { path, bytes: 2, digest: 'x', format: 'json', coding: 'identity', uploadMs: 1 },
        mirror,
      }),
    };
  }

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  it('gives each run an id after those in the history, though the clock was set back since', async () => {
    const site = await setUp();
    const tomorrow = new Date(Date.now() + 86_400_000);
    const former = newRunId(tomorrow, null);
    site.runs.add({ id: former, kind: 'sync', state: 'failed', startedAt: tomorrow.toISOString() });
    const run = await site.claim('exclusive');
    expect(run > former, `${run} after ${former}`).to.equal(true);
    expect(site.runs.last?.id).to.equal(run);
    expect(Date.parse(site.runs.last!.startedAt), 'the time stays true').to.be.at.most(Date.now());
  });

  it('tells of a run that begins while an operator hold still drains, and how long it has refused requests', async () => {
    const site = await setUp();
    await site.coordinator.operator.hold({ reason: 'night', lasts: null, by: null });
    const run = await site.claim();
    site.request(worker, site.submission(run));
    await until(() => site.runs.get(run)?.state === 'draining');
    const { epoch } = site.coordinator.state;
    expect(site.moves.slice(-2).map(({ from, to }) => `${from} to ${to}`)).to.deep.equal([
      'serving to draining',
      'draining to draining',
    ]);
    expect(site.moves.at(-1)?.epoch).to.equal(epoch);
    await new Promise((resolve) => setTimeout(resolve, 20));
    site.drained();
    await until(() => site.runs.get(run)?.endedAt !== undefined);
    const { timings } = site.runs.get(run)!.report!;
    expect(timings.drain).to.be.at.least(15);
    expect(timings.paused).to.be.at.least(timings.drain);
  });

  it('keeps to the deadlines that are in force, which a reload may have changed', async () => {
    const site = await setUp();
    site.rules.drainTimeout = 20;
    const run = await site.claim('exclusive');
    await until(() => site.runs.get(run)?.endedAt !== undefined);
    expect(site.runs.get(run)?.error).to.include({ code: 'drain-timeout' });
  });

  describe('believes of a run only its owner', () => {
    const problem = new QuiesceError('run-failed', 'somebody else says so').toProblem();

    it('when it is released', async () => {
      const site = await setUp();
      const run = await site.claim();
      const reply = site.request(stranger, { op: 'release', run, problem });
      await until(() => reply() !== undefined);
      expect(reply()).to.deep.include({ value: { goesOn: true } });
      expect(site.runs.get(run)).not.to.have.property('error');
      expect(site.coordinator.state.run).to.include({ id: run, stage: 'claimed' });
    });

    for (const [what, run] of [
      ["another's run", null],
      ['a run with a path for a name', '../../away'],
    ] as const) {
      it(`when the feed of ${what} is submitted`, async () => {
        const site = await setUp();
        const claimed = await site.claim();
        const upload = join(site.spool, '1-1-feed.feed');
        await mkdir(site.spool);
        await writeFile(upload, '[]');
        const reply = site.request(stranger, site.submission(run ?? claimed, upload));
        await until(() => reply() !== undefined);
        expect(reply()?.problem).to.include({ code: 'run-failed' });
        expect(await site.journal.unfinished()).to.deep.equal([]);
        expect(await readdir(site.spool), 'its own upload goes').to.deep.equal([]);
        expect(site.coordinator.state.run).to.include({ id: claimed, stage: 'claimed' });
      });
    }

    it('when it names a file that it has not uploaded, of which nothing is read or removed', async () => {
      const site = await setUp();
      const run = await site.claim();
      await mkdir(site.spool);
      for (const file of [join(site.spool, '1-1-of-another.feed'), join(site.spool, '..', 'passwords')]) {
        await writeFile(file, '[]');
        const { feed } = site.submission(run, file) as Extract<RequestBody, { op: 'submit' }>;
        for (const body of [site.submission(run, file), { op: 'dry-run', feed, mirror } as const]) {
          const reply = site.request(worker, body);
          await until(() => reply() !== undefined);
          expect(reply()?.problem).to.include({ code: 'bad-request' });
        }
        expect(await readFile(file, 'utf8')).to.equal('[]');
      }
    });
  });

  it('gives a late feed the reason why its run has ended', async () => {
    const site = await setUp();
    const run = await site.claim();
    const problem = new QuiesceError('upload-timeout', 'The feed was not complete in time.').toProblem();
    site.request(worker, { op: 'release', run, problem });
    await until(() => site.runs.get(run)?.endedAt !== undefined);
    const reply = site.request(worker, site.submission(run));
    await until(() => reply() !== undefined);
    expect(reply()?.problem).to.include({ code: 'upload-timeout' });
  });
});
