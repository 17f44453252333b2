/** `/livez` and `/readyz`: is the process sound, and should a load balancer send requests here? */
import type { RequestHandler } from 'express';
import { QuiesceError } from '../../errors.ts';
import { whyHeld } from '../../protocol/api/readiness.ts';
import { refuse } from '../gate/shut/refusal.ts';
import { getRuntime, type Runtime } from '../process/runtime.ts';
import { readOnly } from './read-only.ts';

interface Worker {
  readonly gate: Pick<Runtime['gate'], 'state' | 'info' | 'shutFor'>;
  readonly stopping: boolean;
}

/**
 * Express middleware that serves `/livez` and `/readyz` below the path where it is mounted. If that is the root of the
 * app, no pause holds them.
 */
export function health(): RequestHandler {
  const runtime = getRuntime();
  const ready = readyz(runtime);
  for (const path of ['/livez', '/readyz']) runtime.neverHeld.add(path);
  return function quiesceHealth(req, res, next) {
    const handler = req.path === '/livez' ? livez : req.path === '/readyz' ? ready : undefined;
    if (handler === undefined) next();
    else readOnly(req, res, () => void handler(req, res, next));
  };
}

/** A process that answers is alive. */
const livez: RequestHandler = (_req, res) => {
  res.set('Cache-Control', 'no-store').type('text/plain').send('ok\n');
};

function readyz(runtime: Runtime): RequestHandler {
  return async (req, res) => {
    const reason = whyNotReady(runtime, (await runtime.settings).maintenance.readyGrace);
    if (reason === null) res.set('Cache-Control', 'no-store').type('text/plain').send('ready\n');
    else refuse(req, res, reason, { headers: { 'Retry-After': String(runtime.gate.retryAfter) } });
  };
}

/** Null if a load balancer should send requests to this worker. @param grace `maintenance.ready_grace`, ms */
export function whyNotReady({ gate, stopping }: Worker, grace: number): QuiesceError | null {
  if (gate.state === 'lost') return new QuiesceError('no-primary', 'The primary is gone and this worker is stopping.');
  if (stopping) return new QuiesceError('stopping', 'This worker is stopping.');
  if (gate.state === 'starting') return new QuiesceError('paused', 'This worker has not heard from its primary yet.');
  return gate.state === 'shut' ? whyHeld(gate.info.holds, gate.shutFor, grace) : null;
}
