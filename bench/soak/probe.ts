/**
 * Loaded with --import into the primary: each second a line in PROBE_FILE with what only the process itself can
 * count. A leak of timers, sockets or listeners grows here long before it is seen as memory.
 */
import cluster from 'node:cluster';
import { appendFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

export interface Probe {
  readonly at: number;
  readonly rss: number;
  readonly heap: number;
  /** Active timers, sockets, pipes …, by their kind. */
  readonly resources: Readonly<Record<string, number>>;
  /** Listeners on `process` and on `cluster`. */
  readonly listeners: number;
}

const file = process.env['PROBE_FILE'];
if (isMainThread && cluster.isPrimary && file !== undefined) {
  setInterval(() => {
    const resources: Record<string, number> = {};
    for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
    const { rss, heapUsed: heap } = process.memoryUsage();
    const listeners = [process, cluster].reduce(
      (sum, emitter) => sum + emitter.eventNames().reduce((count, name) => count + emitter.listenerCount(name), 0),
      0,
    );
    const probe: Probe = { at: Date.now(), rss, heap, resources, listeners };
    appendFileSync(file, `${JSON.stringify(probe)}\n`);
  }, 1_000).unref();
}
