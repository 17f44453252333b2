/**
 * Calls `before` and `after` of a mirror, during the pause, in the worker that got the feed.
 *
 * before fails   nothing is written, and the run fails. The journal records whether it has run: if the primary dies
 *                first, the next primary does not write the run.
 * after fails    the mirror stays, and the report says so
 */
import { QuiesceError, toQuiesceError, type Problem } from '../../../errors.ts';
import { runHook, type RunHook } from '../../../protocol/workers/messages.ts';
import type { OutgoingMessage, WorkerRef } from '../../ports.ts';
import { keyOf } from '../../worker-ref.ts';
import { changedKeysOf, mustRunBefore, type Work } from '../history/report.ts';

export type Send = (worker: WorkerRef, message: OutgoingMessage) => boolean;

interface Pending {
  readonly worker: WorkerRef;
  readonly resolve: () => void;
  readonly reject: (error: QuiesceError) => void;
}

export class RunHooks {
  readonly #pending = new Map<string, Pending>();
  readonly #timeout: () => number;
  #send: Send = () => false;

  /**
   * `timeout`: for each hook, ms. It is not the run's own deadline, which may be over when the run is rolled forward.
   */
  constructor(timeout: () => number) {
    this.#timeout = timeout;
  }

  connect(send: Send): void {
    this.#send = send;
  }

  /**
   * Must be called before anything is written. `done` records durably that the hook has run.
   * @throws QuiesceError `run-failed` if it failed
   */
  async before(run: string, work: Work, epoch: number, done: () => Promise<void>): Promise<void> {
    if (!mustRunBefore(work)) return;
    try {
      await this.#call(run, work, 'before', epoch);
    } catch (error) {
      throw new QuiesceError('run-failed', `before of mirror() failed: ${messageOf(error)} Nothing was written.`, {
        cause: error,
      });
    }
    work.beforeDone = true;
    await done();
  }

  /** Never rejects: the writes are done. */
  async after(run: string, work: Work, epoch: number): Promise<void> {
    if (work.begunBefore || !work.caller?.hooks.includes('after')) return;
    const changed = { counts: work.written!.counts, keys: changedKeysOf(work) };
    await this.#call(run, work, 'after', epoch, changed).catch((error: unknown) => {
      const detail = `after of mirror() failed: ${messageOf(error)} The mirror stays as it is.`;
      work.afterError = new QuiesceError('run-failed', detail, { cause: error });
    });
  }

  ended(worker: WorkerRef, run: string, hook: RunHook, problem: Problem | undefined): void {
    const pending = this.#pending.get(nameOf(run, hook));
    if (pending === undefined || keyOf(pending.worker) !== keyOf(worker)) return;
    if (problem === undefined) pending.resolve();
    else pending.reject(QuiesceError.fromProblem(problem));
  }

  gone(worker: WorkerRef): void {
    for (const pending of this.#pending.values())
      if (keyOf(pending.worker) === keyOf(worker)) pending.reject(workerGone());
  }

  /** Stops waiting for the hooks of this run. */
  cancel(run: string): void {
    for (const hook of runHook.options) this.#pending.get(nameOf(run, hook))?.reject(notDone());
  }

  #call(run: string, { caller }: Work, hook: RunHook, epoch: number, changed: object = {}): Promise<void> {
    const { worker } = caller!;
    let timer: NodeJS.Timeout | undefined;
    return new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(notDone()), this.#timeout()).unref();
      this.#pending.set(nameOf(run, hook), { worker, resolve, reject });
      if (!this.#send(worker, { type: 'run-hook', epoch, run, hook, ...changed })) reject(workerGone());
    }).finally(() => {
      clearTimeout(timer);
      this.#pending.delete(nameOf(run, hook));
    });
  }
}

function nameOf(run: string, hook: RunHook): string {
  return `${run} ${hook}`;
}

function notDone(): QuiesceError {
  return new QuiesceError('run-timeout', 'it was not done in time (sync.run_timeout), or the run was cancelled.');
}

function workerGone(): QuiesceError {
  return new QuiesceError('owner-died', 'the worker that got the feed has gone.');
}

function messageOf(error: unknown): string {
  const { message } = toQuiesceError(error);
  return /[.!?]$/.test(message) ? message : `${message}.`;
}
