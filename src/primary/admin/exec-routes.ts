/** The routes of `quiesce exec`. On the control socket only: the run ends with the connection, which a proxy may cut. */
import { Router } from 'express';
import { bodies, bodyOf } from './bodies.ts';
import { goneWith } from './routes.ts';
import type { ExecRuns } from '../runs/exec-runs.ts';

/** `POST /api/exec` answers with a line when the cluster is quiesced. The answer ends when the hold ends. */
export function execRoutes(exec: ExecRuns): Router {
  const router = Router();
  router.post('/api/exec', async (request, response) => {
    const { reason = null, by = null, timeout = null, keepOnFailure = false } = bodyOf(bodies.exec, request.body);
    const run = await exec.begin({ reason, by, within: timeout, keepOnFailure }, goneWith(response));
    response.type('application/x-ndjson').write(`${JSON.stringify({ run })}\n`);
    exec.onEnd(run, () => response.end());
  });
  router.post('/api/exec/:id/end', async (request, response) => {
    response.json(await exec.end(request.params.id, bodyOf(bodies.execEnd, request.body)));
  });
  return router;
}
