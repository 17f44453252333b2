/** Starts the thread that fetches a feed. */
import { Worker } from 'node:worker_threads';
import { QuiesceError } from '../../errors.ts';
import { ownFile } from '../../own-files.ts';
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
  return new Promise<Fetched>((resolve, reject) => {
    let isSettled = false;
    const settle = (done: () => void): void => {
      if (isSettled) return;
      isSettled = true;
      signal.removeEventListener('abort', onAbort);
      void worker.terminate().then(done); // then nothing writes the file any more
    };
    const onAbort = (): void => settle(() => reject(signal.reason as Error));
    signal.addEventListener('abort', onAbort);
    worker.on('message', (message: FromFetchThread) =>
      settle(() => (message.type === 'failed' ? reject(QuiesceError.fromProblem(message.problem)) : resolve(message))),
    );
    const died = (cause: Error): void =>
      settle(() =>
        reject(new QuiesceError('fetch-failed', `The thread that fetches failed: ${cause.message}.`, { cause })),
      );
    worker.on('error', died);
    worker.on('exit', (code) => died(new Error(`it ended by itself, with code ${code}`)));
    if (signal.aborted) onAbort();
  });
}
