/**
 * Keeps the callers that wait for an answer. Each request of a worker is answered once: a claim when it is granted, a
 * submission when its run has ended. Callers of a worker that is gone are forgotten.
 */
import type { QuiesceError } from '../../../errors.ts';
import { isEnded } from '../../../protocol/api/is-ended.ts';
import type { RunRecord } from '../../../protocol/api/runs.ts';
import type { WorkerRef } from '../../ports.ts';
import type { RunStore } from '../history/history.ts';
import { keyOf } from '../../worker-ref.ts';

export type Result = { readonly value: unknown } | { readonly error: QuiesceError };
export type Answer = (result: Result) => void;

/** How long a worker on a busy machine has to send its callers their answers before it is killed, ms. */
const flushBeforeKill = 1_000;

interface Caller {
  /** Null for a command on the control socket. */
  readonly worker: WorkerRef | null;
  readonly answer: Answer;
}

export class Callers {
  readonly #claims = new Map<string, Caller>();
  readonly #waiters = new Map<string, Caller[]>();
  readonly #watchers = new Map<string, Map<string, WorkerRef>>();

  claim(run: string, worker: WorkerRef | null, answer: Answer): void {
    this.#claims.set(run, { worker, answer });
  }

  /** Does nothing if the claim is answered already. */
  answerClaim(run: string, result: Result): void {
    this.#claims.get(run)?.answer(result);
    this.#claims.delete(run);
  }

  wait(run: string, worker: WorkerRef, answer: Answer): void {
    this.#waiters.set(run, [...(this.#waiters.get(run) ?? []), { worker, answer }]);
  }

  watch(run: string, worker: WorkerRef): void {
    const watchers = this.#watchers.get(run) ?? new Map<string, WorkerRef>();
    this.#watchers.set(run, watchers.set(keyOf(worker), worker));
  }

  watchers(run: string): Iterable<WorkerRef> {
    return this.#watchers.get(run)?.values() ?? [];
  }

  /** Answers the callers that wait for the end of the run, or for the last state that they can wait for. */
  ended(run: RunRecord): void {
    for (const { answer } of this.#waiters.get(run.id) ?? []) answer({ value: run });
    this.#waiters.delete(run.id);
    if (isEnded(run.state)) this.#watchers.delete(run.id);
  }

  /** Answers the callers of a worker that must end before their runs do. Returns how many there were. */
  #dismiss(worker: WorkerRef, record: (run: string) => RunRecord | undefined): number {
    let dismissed = 0;
    for (const [run, waiters] of this.#waiters) {
      const [going, staying] = split(waiters, worker);
      for (const { answer } of going) answer({ value: record(run) });
      dismissed += going.length;
      this.#waiters.set(run, staying);
    }
    return dismissed;
  }

  /**
   * Dismisses the worker's callers, then calls `go`: after a moment, if a caller has an answer to read (`isTold`:
   * another one).
   */
  dismissThen(worker: WorkerRef, runs: Pick<RunStore, 'get'>, isTold: boolean, go: () => void): void {
    const dismissed = this.#dismiss(worker, (run) => runs.get(run));
    if (dismissed === 0 && !isTold) go();
    else setTimeout(go, flushBeforeKill);
  }

  forget(worker: WorkerRef): void {
    for (const [run, claim] of this.#claims) if (isOf(claim, worker)) this.#claims.delete(run);
    for (const [run, waiters] of this.#waiters) this.#waiters.set(run, split(waiters, worker)[1]);
    for (const watchers of this.#watchers.values()) watchers.delete(keyOf(worker));
  }
}

function split(callers: readonly Caller[], worker: WorkerRef): [Caller[], Caller[]] {
  const own = (caller: Caller): boolean => isOf(caller, worker);
  return [callers.filter(own), callers.filter((caller) => !own(caller))];
}

function isOf({ worker }: Caller, ref: WorkerRef): boolean {
  return worker !== null && keyOf(worker) === keyOf(ref);
}
