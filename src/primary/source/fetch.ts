/** Starts the thread that fetches a feed. */
import { Worker } from 'node:worker_threads';
import { QuiesceError } from '../../errors.ts';
import { ownFile } from '../../own-files.ts';
import { resultOf } from '../../thread-job.ts';
import type { FetchJob, FromFetchThread } from './messages.ts';

export type Fetched = Exclude<FromFetchThread, { type: 'failed' }>;

/** The heap of the thread may grow to this. */
const memoryMb = 128;

/** @throws QuiesceError `fetch-failed` and what else the feed is refused with, or the reason of the signal */
export function fetchInThread(job: FetchJob, signal: AbortSignal): Promise<Fetched> {
  const worker = new Worker(ownFile(new URL('./thread.js', import.meta.url)), {
    name: 'quiesce-fetch',
    workerData: job,
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
  });
  const died = (cause: Error): Error =>
    new QuiesceError('fetch-failed', `The thread that fetches failed: ${cause.message}.`, { cause });
  return resultOf<FromFetchThread>(worker, { signal, died });
}
