import { QuiesceError } from '#quiesce/errors.js';
import { Live } from '#quiesce/primary/live/live.js';
import { LogTail } from '#quiesce/primary/live/log-tail.js';
import { Traffic } from '#quiesce/primary/live/traffic.js';
import type { ReloadOutcome } from '#quiesce/primary/reload/reloads.js';
import type { MaintenanceChange, Operations, Order } from '#quiesce/primary/ports.js';
import type { ClusterStatus, RunRecord } from '#quiesce/protocol/api/runs.js';

export const aStatus: ClusterStatus = {
  name: 'web',
  pid: 1,
  phase: 'serving',
  epoch: 3,
  holds: [],
  workers: [
    {
      slot: 0,
      incarnation: 1,
      pid: 2,
      state: 'serving',
      inFlight: 4,
      cpu: 5,
      memory: 2 ** 26,
      eventLoopDelay: 1.5,
      restarts: 0,
      uptime: 90_000,
    },
  ],
  run: null,
  waitingFor: [],
};

export const aRun: RunRecord = { id: 'r1', kind: 'sync', state: 'succeeded', startedAt: '2026-01-01T00:00:00.000Z' };

/** A run that has waited for a request with this path. */
export function aRunThatWaited(path: string): RunRecord {
  const problem = { type: 'about:blank', title: 'x', status: 503, detail: 'y', code: 'drain-timeout' };
  const waitingFor = [{ slot: 1, method: 'GET', path, route: '/reset/:token', age: 1 }];
  const owner = { slot: 0, incarnation: 1, method: 'POST', path: '/api/reindex' };
  return { ...aRun, kind: 'exclusive', state: 'failed', owner, error: { ...problem, waitingFor } };
}

/** Operations of no cluster at all, which keep what was asked of them. */
export class FakeOperations implements Operations {
  readonly asked: unknown[] = [];
  readonly listeners = new Set<(status: ClusterStatus) => void>();
  current = aStatus;
  bootFails = false;

  status(): ClusterStatus {
    return this.current;
  }

  watch(listener: (status: ClusterStatus) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  urls(): string[] {
    return ['http://127.0.0.1:3000'];
  }

  async maintenance(change: MaintenanceChange): Promise<ClusterStatus> {
    const { wait, ...asked } = change;
    const { signal: _signal, ...waits } = wait ?? { keep: false };
    this.asked.push(wait === undefined ? asked : { ...asked, wait: waits });
    return this.current;
  }

  async reload(order: Order = {}): Promise<ReloadOutcome> {
    this.asked.push({ reload: order });
    if (this.bootFails) throw new QuiesceError('boot-failed', 'The new worker did not boot: no such module.');
    return { changes: [], warnings: [] };
  }

  async previewReload(): Promise<ReloadOutcome> {
    this.asked.push('previewReload');
    const changes = [{ setting: 'env.COLOR', from: 'red', to: 'blue', needsPrimary: false }];
    return { changes, warnings: ['Only a new primary takes it.'] };
  }

  async scale(order: Parameters<Operations['scale']>[0]): Promise<void> {
    this.asked.push(order);
  }

  stop(options: { now: boolean }): void {
    this.asked.push({ stop: options });
  }

  runs(limit: number): RunRecord[] {
    this.asked.push({ limit });
    return [aRun];
  }

  run(id: string): RunRecord | undefined {
    return id === aRun.id ? aRun : undefined;
  }

  async cancel(id: string): Promise<RunRecord> {
    this.asked.push({ cancel: id });
    return { ...aRun, state: 'failed' };
  }

  async abandon(id: string): Promise<RunRecord> {
    this.asked.push({ abandon: id });
    throw new Error('the journal is gone');
  }

  removeHost(name: string, order: Order): Promise<void> {
    this.asked.push({ remove: name, ...order });
    return Promise.resolve();
  }
}

/** What `GET /api/events` tells of operations that nobody observes. */
export function liveOf(operations: FakeOperations): Live {
  const { current } = operations;
  const watch: Operations['watch'] = (listener) => operations.watch(listener);
  const seen = { status: () => current, watch, runs: () => [] };
  return new Live({ operations: seen, traffic: new Traffic(), refused: () => 0, tail: new LogTail() });
}
