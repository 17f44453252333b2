/** The life of a thread that does one job: its first message, its death, an abort or a timeout ends it. */
import type { Worker } from 'node:worker_threads';
import { QuiesceError, type Problem } from './errors.ts';

/** What the thread sends if its job failed. Any other message is its result. */
interface Failed {
  readonly type: 'failed';
  readonly problem: Problem;
}

export interface JobEnds {
  /** Ends the thread when aborted; its reason is the error. */
  readonly signal?: AbortSignal | undefined;
  readonly timeout?: { readonly ms: number; readonly error: () => Error };
  /** The error for a thread that failed, or that ended without a message. */
  readonly died: (cause: Error) => Error;
}

/**
 * Resolves with the result that the thread sends, after the thread has ended: then nothing reads or writes the files of
 * its job any more.
 *
 * @throws QuiesceError the error of the job; or the error of the abort, the timeout or the death
 */
export function resultOf<M extends { readonly type: string }>(
  worker: Worker,
  { signal, timeout, died }: JobEnds,
): Promise<Exclude<M, Failed>> {
  return new Promise((resolve, reject) => {
    let isSettled = false;
    const settle = (done: () => void): void => {
      if (isSettled) return; // the exit of the thread follows its message
      isSettled = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      void worker.terminate().then(done);
    };
    const fail = (error: Error): void => settle(() => reject(error));
    const onAbort = (): void => fail(signal?.reason as Error);
    const timer = timeout && setTimeout(() => fail(timeout.error()), timeout.ms);
    signal?.addEventListener('abort', onAbort);
    worker.on('message', (message: Failed | Exclude<M, Failed>) => {
      if (isFailed(message)) fail(QuiesceError.fromProblem(message.problem));
      else settle(() => resolve(message));
    });
    worker.on('error', (cause) => fail(died(cause)));
    worker.on('exit', (code) => fail(died(new Error(`it ended by itself, with code ${code}`))));
    if (signal?.aborted) onAbort();
  });
}

/** Whether a thread ended because it passed the limit of its heap. */
export function isOutOfMemory(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ERR_WORKER_OUT_OF_MEMORY';
}

function isFailed(message: { readonly type: string }): message is Failed {
  return message.type === 'failed';
}
