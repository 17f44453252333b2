/** `POST /api/handover`. On the control socket only: it names what is started. Answered when the successor serves. */
import { Router } from 'express';
import { bodies, bodyOf, orderOf } from './bodies.ts';
import type { OrderHistory } from './order-history.ts';
import { goneWith } from './routes.ts';
import type { HandOver } from '../handover/hand-over.ts';
import type { HandedOver } from '../../protocol/api/answers.ts';

/** @param folder where the successor is started; null: where the keeper was */
export function handOverRoute(handOver: HandOver, folder: string | null, orders: Pick<OrderHistory, 'given'>): Router {
  const router = Router();
  router.post('/api/handover', async (request, response) => {
    const { wait = false, node, main, called, ...order } = bodyOf(bodies.handOver, request.body);
    orders.given('reload --primary', { ...orderOf(order) });
    const pid = await handOver.begin({ build: { node, main, called, folder }, wait }, goneWith(response));
    const answer: HandedOver = { pid, former: process.pid };
    response.json(answer);
  });
  return router;
}
