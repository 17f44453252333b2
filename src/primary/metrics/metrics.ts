/** `GET /metrics`: the whole cluster for Prometheus, from what the primary knows. It sends no message to a worker. */
import type { RequestHandler } from 'express';
import { Gauge, Registry } from '../../vendor/prom-client.ts';
import { version } from '../../version.ts';
import type { Observer } from '../live/observers.ts';
import type { Operations } from '../ports.ts';
import { EventMetrics } from './event-metrics.ts';
import { mirrorMetrics } from './mirror-metrics.ts';
import { processMetrics } from './process-metrics.ts';
import { stateMetrics } from './state-metrics.ts';

export interface MetricsDeps {
  readonly operations: Pick<Operations, 'status' | 'runs'>;
  /** When the current phase started, epoch ms. */
  readonly phaseSince: () => number;
}

export interface Metrics {
  readonly observer: Observer;
  readonly route: RequestHandler;
}

export function metrics({ operations, phaseSince }: MetricsDeps): Metrics {
  const registry = new Registry();
  const { name, hosts } = operations.status();
  new Gauge({
    name: 'quiesce_info',
    help: 'Always 1; the labels say what runs here',
    labelNames: ['name', 'version', 'node_version'],
    registers: [registry],
  }).set({ name, version, node_version: process.version }, 1);
  stateMetrics(registry, () => operations.status(), phaseSince);
  const observer = new EventMetrics(registry, operations.runs(1_000), hosts !== undefined);
  mirrorMetrics(registry, () => operations.runs(Infinity));
  processMetrics(registry);
  return {
    observer,
    async route(request, response, next) {
      if (request.path !== '/metrics') return next();
      if (request.method !== 'GET' && request.method !== 'HEAD') return next();
      const text = await registry.metrics();
      response.set('Cache-Control', 'no-store').type(registry.contentType).send(text);
    },
  };
}
