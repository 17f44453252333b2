/**
 * The thread that ends its process when a lease is long over and something is still at work. It shares nothing with the
 * event loop, so neither a handler in an endless loop nor a stopped primary can stop this thread.
 */
import { workerData } from 'node:worker_threads';

const { shared } = workerData as { shared: SharedArrayBuffer };
/** When to end, by CLOCK_MONOTONIC, ns. */
const killAt = new BigInt64Array(shared, 0, 1);
const changes = new Int32Array(shared, 8, 1);

for (;;) {
  const seen = Atomics.load(changes, 0);
  const left = Number(Atomics.load(killAt, 0) - process.hrtime.bigint()) / 1e6;
  if (left <= 0) process.kill(process.pid, 'SIGKILL');
  Atomics.wait(changes, 0, seen, left);
}
