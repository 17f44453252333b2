/**
 * `POST /api/handover`. On the control socket only: it names what is started. Answered when the successor serves, and, to
 * who accepts lines, once more when the last worker of this primary has ended.
 */
import { Router } from 'express';
import { bodies, bodyOf, orderOf } from './bodies.ts';
import type { OrderHistory } from './order-history.ts';
import { goneWith } from './routes.ts';
import type { HandOver } from '../handover/hand-over.ts';
import type { HandedOver, HandOverEnd } from '../../protocol/api/answers.ts';

const lines = 'application/x-ndjson';

/** @param folder where the successor is started; null: where the keeper was */
export function handOverRoute(handOver: HandOver, folder: string | null, orders: Pick<OrderHistory, 'given'>): Router {
  const router = Router();
  router.post('/api/handover', async (request, response) => {
    const { wait = false, node, main, called, ...order } = bodyOf(bodies.handOver, request.body);
    orders.given('reload --primary', { ...orderOf(order) });
    const { pid, over } = await handOver.begin({ build: { node, main, called, folder }, wait }, goneWith(response));
    const answer: HandedOver = { pid, former: process.pid };
    // A command of an older version reads one object.
    if (request.headers.accept !== lines) return void response.json(answer);
    // `Connection: close`: nothing is to keep this primary once its workers have ended.
    response
      .set('Connection', 'close')
      .type(lines)
      .write(`${JSON.stringify(answer)}\n`);
    const end: HandOverEnd = { warnings: [...(await over)] };
    response.end(`${JSON.stringify(end)}\n`);
  });
  return router;
}
