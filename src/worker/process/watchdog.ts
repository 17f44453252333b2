/**
 * The thread that ends its process when a lease is long over and something is still in flight. It shares nothing with the
 * event loop, so neither a handler in an endless loop nor a stopped primary can stop this thread.
 */
import { workerData } from 'node:worker_threads';

const { shared } = workerData as { shared: SharedArrayBuffer };
/** When to end, by CLOCK_MONOTONIC, ns; and whether nothing is in flight any more. */
const times = new BigInt64Array(shared, 0, 1);
const signal = new Int32Array(shared, 8, 2);

for (;;) {
  const seen = Atomics.load(signal, 0);
  const left = Number(Atomics.load(times, 0) - process.hrtime.bigint()) / 1e6;
  const isAtRest = Atomics.load(signal, 1) === 1;
  if (left <= 0 && !isAtRest) process.kill(process.pid, 'SIGKILL');
  Atomics.wait(signal, 0, seen, left > 0 ? left : Infinity);
}
