/**
 * `/livez` and `/readyz` of the admin server, for a site whose app has none. They describe the whole site, not one
 * worker.
 */
import { Router } from 'express';
import { QuiesceError } from '../../errors.ts';
import { whyHeld } from '../../protocol/api/readiness.ts';
import type { ClusterStatus } from '../../protocol/api/runs.ts';

export interface ProbeOptions {
  readonly status: () => ClusterStatus;
  /** A shorter pause leaves the site ready, ms. */
  readonly readyGrace: () => number;
}

/** The same answers as `health()` gives in a worker. */
export function probes({ status, readyGrace }: ProbeOptions): Router {
  const router = Router();
  router.get('/livez', (_request, response) => {
    response.set('Cache-Control', 'no-store').type('text/plain').send('ok\n');
  });
  router.get('/readyz', (_request, response) => {
    response.set('Cache-Control', 'no-store');
    const reason = whyNotReady(status(), readyGrace(), Date.now());
    if (reason !== null) throw reason;
    response.type('text/plain').send('ready\n');
  });
  return router;
}

/** Null if a load balancer should send requests here. @param now ms, wall clock */
export function whyNotReady({ holds, workers }: ClusterStatus, readyGrace: number, now: number): QuiesceError | null {
  const since = Math.min(now, ...holds.map((hold) => Date.parse(hold.since)));
  const held = whyHeld(holds, now - since, readyGrace);
  if (held !== null) return held;
  if (workers.some(({ state }) => state === 'serving' || state === 'draining' || state === 'quiesced')) return null;
  return new QuiesceError('stopping', 'No worker serves: the site is starting or stopping, or its workers fail.');
}
