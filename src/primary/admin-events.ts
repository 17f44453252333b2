/** `GET /api/events`: the status as server-sent events, at once and at each change. */
import type { Request, Response } from 'express';
import type { Operations } from './ports.ts';
import type { ClusterStatus } from '../protocol/runs.ts';

/** Often enough for proxies that close silent connections, ms. */
const keepAlive = 15_000;

export function streamStatus(operations: Operations, request: Request, response: Response): void {
  response.set({ 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' });
  response.flushHeaders();
  // A reader that is slow gets the newest status when it has caught up, not a queue of old ones.
  let latest: ClusterStatus | undefined;
  const send = (status: ClusterStatus): void => {
    latest = status;
    if (response.writableNeedDrain) return;
    latest = undefined;
    response.write(`event: status\ndata: ${JSON.stringify(status)}\n\n`);
  };
  response.on('drain', () => {
    if (latest !== undefined) send(latest);
  });
  send(operations.status());
  const unwatch = operations.watch(send);
  const timer = setInterval(() => {
    if (!response.writableNeedDrain) response.write(': \n\n');
  }, keepAlive);
  timer.unref();
  request.socket.setTimeout(0);
  response.on('close', () => {
    clearInterval(timer);
    unwatch();
  });
}
