/**
 * The mirror thread: takes calls, keeps the runs, answers. All heavy work happens here, so that the primary's main
 * thread, which accepts the site's connections, never waits for it.
 */
import { parentPort } from 'node:worker_threads';
import { QuiesceError, toQuiesceError } from '../errors.ts';
import type { Progress } from '../protocol/api/runs.ts';
import { checkDatabase } from './database/check.ts';
import { Clients } from './database/clients.ts';
import { toDatabaseError } from './database/errors.ts';
import { foresee } from './foresee.ts';
import type { Call, FromThread, Results, ToThread } from './messages.ts';
import { pastOf } from './past.ts';
import { MirrorRun } from './run.ts';
import { toStorageError } from './storage-error.ts';

if (!parentPort) throw new Error('The mirror runs in a thread: start it with MirrorThread.');
const port = parentPort;
const clients = new Clients();
const runs = new Map<string, MirrorRun>();
/** Cancelled or ended runs whose files are being removed. */
const forgotten = new Set<Promise<void>>();

port.on('message', ({ id, call }: ToThread) => {
  const written = call.op === 'write' ? runs.get(call.run) : undefined; // a cancel removes it before the write ends
  perform(call).then(
    (value) => {
      send({ type: 'done', id, value });
      // After the answer: the cluster is paused, and removing a large file takes time.
      if (call.op === 'write') void forget(call.run);
    },
    async (error: unknown) => {
      const dirty = written?.dirty ?? false;
      if (call.op === 'write') await forget(call.run);
      if (call.op === 'prepare') await forget(call.job.run);
      send({ type: 'failed', id, problem: problemOf(error), dirty });
    },
  );
});

async function perform(call: Call): Promise<Results[keyof Results]> {
  switch (call.op) {
    case 'check':
      return checkDatabase(call.request);
    case 'foresee':
      return foresee(call.request, clients);
    case 'prepare': {
      const { run } = call.job;
      if (runs.has(run)) throw new QuiesceError('internal', `The run ${run} has been prepared already.`);
      const mirror = new MirrorRun(call.job, clients, (progress: Progress) =>
        send({ type: 'progress', run, progress }),
      );
      runs.set(run, mirror);
      return mirror.prepare();
    }
    case 'plan':
      return known(call.run).plan();
    case 'past':
      return pastOf(call.job, call.epoch, clients);
    case 'write':
      return known(call.run).write(call.epoch);
    case 'cancel':
      await forget(call.run);
      return null;
    case 'feeds': {
      const { onFeeds } = await import('./shared-feeds.ts');
      return onFeeds(call.request, clients);
    }
    case 'close':
      for (const run of runs.keys()) void forget(run);
      await Promise.all(forgotten);
      await clients.close();
      return null;
  }
}

function known(run: string): MirrorRun {
  const mirror = runs.get(run);
  if (!mirror)
    throw new QuiesceError(
      'internal',
      `The mirror thread knows no run ${run}: it was cancelled, or the thread has been restarted since.`,
    );
  return mirror;
}

async function forget(run: string): Promise<void> {
  const mirror = runs.get(run);
  if (!mirror) return;
  runs.delete(run);
  const gone = mirror.dispose().catch(() => {}); // a later run or the next start removes the remaining files
  forgotten.add(gone);
  await gone;
  forgotten.delete(gone);
}

function problemOf(error: unknown): ReturnType<QuiesceError['toProblem']> {
  return toQuiesceError(toStorageError(toDatabaseError(error)), 'run-failed').toProblem();
}

function send(message: FromThread): void {
  port.postMessage(message);
}
