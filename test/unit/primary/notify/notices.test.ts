import { expect } from 'chai';
import { notifyEvents, type Receiver } from '#quiesce/config/values/receivers.js';
import { expiryNotice, Notices } from '#quiesce/primary/notify/notices.js';
import type { Ticks } from '#quiesce/primary/ticks.js';
import type { HoldStatus, RunRecord } from '#quiesce/protocol/api/runs.js';

const start = Date.parse('2026-01-02T03:00:00.000Z');
const iso = (ms: number): string => new Date(start + ms).toISOString();

function setUp(receiver: Partial<Receiver> = {}, ticks: Ticks | null = null) {
  const receivers: Receiver[] = [
    { url: 'http://r/', events: notifyEvents, format: 'json', secret: null, overdue: null, ...receiver },
  ];
  const marks = new Map<string, string | null>();
  const told: string[] = [];
  const world = { holds: [] as HoldStatus[], lastMirror: null as string | null };
  const make = (): Notices =>
    new Notices({
      app: 'shop',
      host: 'web1',
      receivers: () => receivers,
      holds: () => world.holds,
      lastMirror: () => world.lastMirror,
      ticks,
      outbox: {
        add: ({ event, message }) => void told.push(`${event}: ${message}`),
        mark: (name) => marks.get(name) ?? null,
        setMark: (name, value) => void marks.set(name, value),
      },
    });
  return { make, notices: make(), told, world, receivers };
}

const failed = {
  id: 'r1',
  kind: 'sync',
  state: 'failed',
  startedAt: iso(0),
  endedAt: iso(1),
  error: { type: 't', title: 't', status: 500, detail: 'the disk is full', code: 'insufficient-storage' },
} as RunRecord;

describe('notices', () => {
  it('tell of a run that failed or was given up, once, and of no other', () => {
    const { notices, told } = setUp();
    notices.run({ ...failed, state: 'running' });
    notices.run({ ...failed, id: 'r0', state: 'succeeded' });
    notices.run(failed);
    notices.run(failed);
    notices.run({ ...failed, id: 'r2', state: 'abandoned' });
    expect(told).to.deep.equal([
      'run-failed: The mirror run r1 has failed: the disk is full',
      'run-failed: The mirror run r2 has been given up: the disk is full',
    ]);
  });

  it('are of one host where all hosts see the same, and of each where that cannot be agreed on', async () => {
    const asked: string[] = [];
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    const hold: HoldStatus = {
      kind: 'operator',
      reason: 'moving',
      since: iso(0),
      until: iso(1_800_000),
      allHosts: true,
    };
    for (const [answer, told] of [
      [() => Promise.resolve(true), ['hold-started', 'hold-expiring', 'run-overdue', 'hold-ended']],
      [() => Promise.resolve(false), []],
      [() => Promise.reject(new Error('no MongoDB')), ['hold-started', 'hold-expiring', 'run-overdue', 'hold-ended']],
    ] as const) {
      asked.length = 0;
      const host = setUp(
        { overdue: 1_000 },
        {
          wins: (what, at) => {
            asked.push(`${what.slice(0, 20)} ${at - start}`);
            return answer();
          },
        },
      );
      host.world.lastMirror = iso(-60_000);
      host.world.holds = [hold];
      host.notices.holdsChanged();
      await turn();
      host.notices.tick(start + 1_800_000 - expiryNotice);
      await turn();
      host.world.holds = [];
      host.notices.holdsChanged();
      await turn();
      expect(host.told.map((text) => text.split(':')[0])).to.deep.equal(told);
      expect(asked.map((each) => each.replace(/(overdue) \w+/, '$1'))).to.deep.equal([
        'notice hold-started 0',
        `notice hold-expiring ${1_800_000 - expiryNotice}`,
        'notice run-overdue -60000',
        'notice hold-ended 0',
      ]);
      // What only this host sees it tells in any case.
      asked.length = 0;
      host.world.holds = [{ kind: 'operator', reason: 'here', since: iso(5) }];
      host.notices.holdsChanged();
      host.notices.run(failed);
      host.world.holds = [];
      host.notices.holdsChanged();
      expect(host.told.slice(told.length)).to.have.length(3);
      expect(asked).to.deep.equal([]);
    }
  });

  it('tell of the hold of an operator, its end and what comes before, each once, over restarts', () => {
    const { notices, make, told, world } = setUp();
    const hold: HoldStatus = { kind: 'operator', reason: 'moving', since: iso(0), until: iso(1_800_000), by: 'ann' };
    notices.holdsChanged();
    world.holds = [{ kind: 'sync', reason: 'run r1', since: iso(0) }];
    notices.holdsChanged();
    expect(told).to.deep.equal([]);
    world.holds = [hold];
    notices.holdsChanged();
    const restarted = make();
    restarted.holdsChanged();
    restarted.tick(start + 1_800_000 - expiryNotice - 1);
    expect(told).to.deep.equal([`hold-started: ann holds the site, until ${hold.until}: moving`]);
    restarted.tick(start + 1_800_000 - expiryNotice);
    restarted.tick(start + 1_800_000 - expiryNotice + 1);
    world.holds = [];
    make().holdsChanged();
    expect(told.slice(1)).to.deep.equal([
      `hold-expiring: The hold ends by itself at ${hold.until}: moving`,
      `hold-ended: The hold of an operator has ended, since ${hold.since}`,
    ]);
    world.holds = [{ ...hold, until: iso(expiryNotice) }];
    restarted.tick(start + expiryNotice - 1);
    expect(told).to.have.length(3);
  });

  it('tell once that no mirror run has succeeded for too long, and again after the next', () => {
    const { notices, make, told, world } = setUp({ overdue: 1_000 });
    notices.tick(start);
    notices.tick(start + 999);
    expect(told).to.deep.equal([]);
    notices.tick(start + 1_000);
    make().tick(start + 2_000);
    expect(told).to.deep.equal([`run-overdue: No mirror run has succeeded since ${iso(0)}`]);
    world.lastMirror = iso(3_000);
    notices.tick(start + 3_500);
    notices.tick(start + 4_000);
    expect(told.slice(1)).to.deep.equal([`run-overdue: No mirror run has succeeded since ${iso(3_000)}`]);
  });

  it('tell of workers that were replaced, of a loop once, and of a primary that was started again or replaced', () => {
    const { notices, told } = setUp();
    const ref = { slot: 1, incarnation: 4 };
    const exit = { code: null, signal: 'SIGKILL' };
    for (const cause of ['planned', 'crash', 'killed', 'memory', 'heartbeat'] as const)
      notices.gone(ref, { ...exit, cause });
    notices.backoff(1, false);
    notices.backoff(1, true);
    notices.backoff(1, true);
    notices.backoff(1, false);
    notices.backoff(1, true);
    notices.restarted();
    notices.replaced(4711);
    expect(told.map((line) => line.split(':')[0])).to.deep.equal([
      'worker-replaced',
      'worker-replaced',
      'crash-loop',
      'crash-loop',
      'primary-restarted',
      'primary-replaced',
    ]);
    expect(told[0]).to.contain('1.4').and.contain('memory');
    expect(told.at(-1)).to.contain('pid 4711');
  });

  it('tell a receiver of what it wants, and do nothing where there is none', () => {
    const { notices, told, world, receivers } = setUp({ events: ['hold-ended'] });
    world.holds = [{ kind: 'operator', reason: 'moving', since: iso(0) }];
    notices.holdsChanged();
    notices.run(failed);
    expect(told).to.deep.equal([]);
    receivers.length = 0;
    world.holds = [];
    notices.holdsChanged();
    notices.tick(start);
    expect(told).to.deep.equal([]);
  });
});
