/** Loaded with --import into a process that must not outlive the one that started it, whatever way that ends. */
import { isMainThread } from 'node:worker_threads';

if (isMainThread && process.channel) {
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  // It is watched, but keeps nothing running.
  process.channel.unref();
}
