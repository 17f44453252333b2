/** A plausible day of a shop: a mirror every hour, one that failed, two holds, a crash, and ten minutes of traffic. */
import { FakeCluster } from './fake-cluster.js';
import type { Report, RunRecord } from '#quiesce/protocol/api/runs.js';

const minute = 60_000;
const hour = 60 * minute;

interface Plan {
  readonly at: number;
  readonly items: number;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
  readonly paused: number;
  readonly fails?: boolean;
}

export function endedRun({ at, items, inserted, updated, deleted, paused, fails }: Plan, number: number): RunRecord {
  const id = `${new Date(at).toISOString().slice(0, 16).replace(/\D/g, '')}-${(0x3f2a + number * 7919).toString(16)}`;
  const drain = fails ? paused : Math.round(paused * 0.2);
  const scan = fails ? 0 : Math.round(paused * 0.45);
  const write = fails ? 0 : paused - drain - scan;
  const timings = { upload: 420, prepare: Math.round(items / 40), drain, scan, write, paused, total: 0 };
  timings.total = timings.upload + timings.prepare + paused + 3;
  const startedAt = new Date(at).toISOString();
  const endedAt = new Date(at + timings.total).toISOString();
  const error = {
    type: 'urn:quiesce:problem:drain-timeout',
    title: 'Requests in flight did not finish in time',
    status: 503,
    detail:
      'GET /export/orders.csv in slot 3 was still running after 30 s. The run was given up and the cluster serves again.',
    code: 'drain-timeout',
  };
  const report: Report = {
    id,
    epoch: number + 10,
    state: fails ? 'failed' : 'succeeded',
    feed: { items, bytes: items * 412, digest: 'sha-256=:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=:' },
    counts: fails
      ? { inserted: 0, updated: 0, deleted: 0, unchanged: 0 }
      : { inserted, updated, deleted, unchanged: items - inserted - updated },
    timings,
    strategy: 'two-phase',
    workers: 5,
    refused: Math.round(paused * 0.9),
    forced: 0,
    startedAt,
    endedAt,
    ...(fails ? { error } : {}),
  };
  const owner = { slot: number % 5, incarnation: 1, method: 'PUT', path: '/api/sync' };
  return {
    id,
    kind: 'sync',
    state: report.state,
    epoch: report.epoch,
    owner,
    startedAt,
    endedAt,
    report,
    ...(fails ? { error } : {}),
  };
}

export function aDay(now: number = Date.now()): FakeCluster {
  const plans = Array.from({ length: 24 }, (_, index): Plan => {
    const ago = 24 - index;
    const fails = ago === 5;
    return {
      at: now - ago * hour + 12 * minute,
      items: 48_000 + ((index * 977) % 2_400),
      inserted: (index * 37) % 420,
      updated: (index * 131) % 1_900,
      deleted: (index * 23) % 180,
      paused: fails ? 30_000 : 900 + ((index * 331) % 1_700),
      ...(fails ? { fails } : {}),
    };
  });
  const startedAt = now - 7 * hour;
  const runs = plans.map(endedRun).filter(({ endedAt }) => Date.parse(endedAt!) < startedAt);
  const cluster = new FakeCluster({ now: startedAt, runs });
  plans.slice(runs.length).forEach((plan, index) => {
    if (index === 2) operatorHold(cluster, plan.at - 40 * minute);
    playRun(cluster, endedRun(plan, runs.length + index));
  });
  cluster.now = now - 10 * minute;
  for (let second = 0; second < 596; second++) {
    if (second === 240) exclusiveRun(cluster);
    if (second === 400) cluster.crash(2);
    if (second % 97 === 0) {
      const msg = `GET /orders/${second} took ${200 + second} ms`;
      cluster.log(30, msg, { slot: second % 5, incarnation: 1, stream: 'stdout' });
    }
    cluster.tick();
  }
  cluster.log(40, 'slot 2: the next worker starts in 100 ms', { slot: 2 });
  cluster.log(30, 'worker 2.2 serves', { slot: 2, incarnation: 2 });
  const warning = 'DeprecationWarning: the `search` option is going to be removed';
  cluster.log(30, warning, { slot: 1, incarnation: 1, stream: 'stderr' });
  return cluster;
}

function operatorHold(cluster: FakeCluster, at: number): void {
  cluster.now = at;
  cluster.hold('operator', 'Moving to the new storage');
  cluster.move('draining');
  cluster.now += 1_800;
  cluster.move('quiesced');
  cluster.now += 14 * minute;
  cluster.refuse(18_240);
  cluster.release('operator');
  cluster.move('serving');
}

function playRun(cluster: FakeCluster, run: RunRecord): void {
  const { timings, refused } = run.report!;
  cluster.now = Date.parse(run.endedAt!) - timings.paused;
  cluster.hold('sync', `run ${run.id}`);
  cluster.move('draining');
  cluster.now += timings.drain;
  if (run.state === 'succeeded') cluster.move('quiesced');
  cluster.now += timings.paused - timings.drain;
  cluster.refuse(refused);
  cluster.release('sync');
  cluster.move('serving');
  cluster.setRun(run);
}

/** A handler that ran alone for four seconds. */
function exclusiveRun(cluster: FakeCluster): void {
  const startedAt = new Date(cluster.now).toISOString();
  const run: RunRecord = {
    id: 'reindex-01',
    kind: 'exclusive',
    state: 'running',
    owner: { slot: 1, incarnation: 1, method: 'POST', path: '/api/reindex' },
    startedAt,
  };
  cluster.hold('exclusive', `run ${run.id}`);
  cluster.move('draining');
  cluster.move('quiesced');
  cluster.setRun(run);
  for (let second = 0; second < 4; second++) cluster.tick();
  cluster.release('exclusive');
  cluster.move('serving');
  cluster.setRun({ ...run, state: 'succeeded', endedAt: new Date(cluster.now).toISOString() });
}
