/** What several examples show: the cluster, and the runs of the day. */

const worker = (slot: number, incarnation: number, pid: number, state: string, uptime: number): object => ({
  slot,
  incarnation,
  pid,
  state,
  inFlight: 0,
  cpu: 1.2,
  memory: 80297984,
  eventLoopDelay: 1.37,
  restarts: 0,
  uptime,
});

export const status = {
  name: 'app',
  pid: 4211,
  phase: 'serving',
  epoch: 0,
  holds: [],
  workers: [worker(0, 1, 4225, 'serving', 8167), worker(1, 1, 4226, 'serving', 8160)],
  run: null,
  waitingFor: [],
};

export const hold = {
  kind: 'operator',
  reason: 'moving house',
  since: '2026-11-22T03:10:30.645Z',
  until: '2026-11-22T03:20:30.643Z',
};

export const heldStatus = {
  ...status,
  phase: 'draining',
  epoch: 1,
  holds: [hold],
  workers: [worker(0, 1, 4225, 'draining', 9167), worker(1, 1, 4226, 'draining', 9160)],
};

export const openedStatus = { ...status, epoch: 1 };

export const scaledStatus = {
  ...openedStatus,
  workers: [...status.workers, worker(2, 1, 4390, 'serving', 1205)],
};

export const reloadedStatus = {
  ...openedStatus,
  workers: [
    worker(0, 2, 4402, 'serving', 2310),
    worker(1, 2, 4417, 'serving', 1507),
    worker(2, 2, 4431, 'serving', 702),
  ],
};

export const firstRun = '20261122t031500184-ed69b7';
export const secondRun = '20261122t031547074-4f0cf3';
export const thirdRun = '20261122t031547826-c7ea54';

const report = {
  id: firstRun,
  epoch: 2,
  state: 'succeeded',
  feed: { items: 2, bytes: 41, digest: 'sha-256=:XkcWY4DDwcJiaRRYkAPCqW4tAkaXwQTwhPIL3LgLeiU=:' },
  counts: { inserted: 2, updated: 0, deleted: 0, unchanged: 0 },
  timings: { upload: 4.9, prepare: 61.2, drain: 3.9, scan: 2.1, write: 23.9, paused: 50.7, total: 118.1 },
  strategy: 'two-phase',
  workers: 3,
  refused: 0,
  forced: 0,
  startedAt: '2026-11-22T03:15:00.184Z',
  endedAt: '2026-11-22T03:15:00.302Z',
};

export const secondReport = {
  ...report,
  id: secondRun,
  epoch: 3,
  feed: { items: 3, bytes: 61, digest: 'sha-256=:acyHv4QxygQWKHdmq2RdTxBl+pNpbOvE0CyiCel51Fo=:' },
  counts: { inserted: 1, updated: 1, deleted: 0, unchanged: 1 },
  startedAt: '2026-11-22T03:15:47.074Z',
  endedAt: '2026-11-22T03:15:47.192Z',
};

const record = (run: typeof report): object => ({
  id: run.id,
  kind: 'sync',
  state: 'succeeded',
  owner: { slot: 0, incarnation: 2, method: 'PUT', path: '/api/sync' },
  collection: 'resources',
  startedAt: run.startedAt,
  progress: { step: 'write', done: 2, total: 2 },
  epoch: run.epoch,
  report: run,
  endedAt: run.endedAt,
});

export const firstRecord = record(report);
export const secondRecord = record(secondReport);
