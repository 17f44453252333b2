import express from 'express';
import { expect } from 'chai';
import request from 'supertest';
import { probes, whyNotReady } from '#quiesce/primary/admin/probes.js';
import type { ClusterStatus, WorkerState } from '#quiesce/protocol/api/runs.js';
import type { HoldKind } from '#quiesce/protocol/words.js';

const now = Date.parse('2026-01-01T00:01:00.000Z');
const worker = (state: WorkerState): ClusterStatus['workers'][number] => ({
  slot: 0,
  incarnation: 1,
  pid: 1,
  state,
  inFlight: 0,
  cpu: 0,
  memory: 0,
  eventLoopDelay: 0,
  restarts: 0,
  uptime: 1,
});
function status(state: WorkerState, hold?: { kind: HoldKind; age: number }): ClusterStatus {
  const holds =
    hold === undefined ? [] : [{ kind: hold.kind, reason: 'moving', since: new Date(now - hold.age).toISOString() }];
  const phase = hold === undefined ? ('serving' as const) : ('quiesced' as const);
  return { name: 'shop', pid: 1, phase, epoch: 1, holds, workers: [worker(state)], run: null, waitingFor: [] };
}
const code = (given: ClusterStatus): string | null => whyNotReady(given, 10_000, now)?.code ?? null;

describe('the probes of the admin server', () => {
  it('call a site ready that serves, or is in a short pause', () => {
    expect(code(status('serving'))).to.equal(null);
    expect(code(status('quiesced', { kind: 'sync', age: 9_000 }))).to.equal(null);
    expect(code(status('draining', { kind: 'exclusive', age: 9_000 }))).to.equal(null);
  });

  it('do not where an operator holds it, a pause is long, or no worker serves', () => {
    expect(code(status('draining', { kind: 'operator', age: 1 }))).to.equal('paused');
    expect(code(status('quiesced', { kind: 'sync', age: 11_000 }))).to.equal('paused');
    for (const state of ['starting', 'stopping', 'waiting'] as const) expect(code(status(state))).to.equal('stopping');
  });

  it('do not where this host is out of its cluster, from the first moment: others may serve', () => {
    expect(code(status('quiesced', { kind: 'cluster', age: 0 }))).to.equal('paused');
  });

  it('answer over HTTP, and are kept by nobody', async () => {
    const app = express().use(probes({ status: () => status('serving'), readyGrace: () => 10_000 }));
    for (const path of ['/livez', '/readyz']) {
      const answer = await request(app).get(path).expect(200);
      expect(answer.headers['cache-control']).to.equal('no-store');
    }
  });
});
