/** Answers what workers ask. A claim and a submission are answered by what becomes of them. */
import { isErrorCode, QuiesceError, type ErrorCode } from '../../errors.ts';
import type { RequestBody } from '../../protocol/messages.ts';
import { isEnded } from '../../protocol/is-ended.ts';
import type { RunRecord } from '../../protocol/runs.ts';
import type { Answer, Callers } from './callers.ts';
import type { Event } from '../maintenance/state.ts';
import type { WorkerRef } from '../ports.ts';
import { newRunId } from './id.ts';
import type { RunStore } from './history.ts';
import type { SyncRuns } from './feed-runs.ts';

export interface WorkerRequestsDeps {
  readonly runs: RunStore;
  readonly sync: SyncRuns;
  readonly callers: Callers;
  readonly dispatch: (event: Event) => void;
}

export class WorkerRequests {
  readonly #deps: WorkerRequestsDeps;

  constructor(deps: WorkerRequestsDeps) {
    this.#deps = deps;
  }

  /** Rejects with what the worker is to be refused with. */
  async answer(ref: WorkerRef, body: RequestBody, answer: Answer): Promise<void> {
    const { runs, sync, callers, dispatch } = this.#deps;
    switch (body.op) {
      case 'claim': {
        if (body.kind === 'sync') sync.requireDatabase();
        const now = new Date();
        const id = newRunId(now);
        const owner = { slot: ref.slot, incarnation: ref.incarnation, method: body.method, path: body.path };
        runs.add({ id, kind: body.kind, state: 'uploading', owner, startedAt: now.toISOString() });
        callers.claim(id, ref, answer);
        dispatch({ type: 'claim', run: id, kind: body.kind, owner: ref });
        runs.update(id, {}); // tells of it, where it was not refused
        return void runs.save(id); // so that the history tells of it, should the primary die; one that was refused is gone
      }
      case 'submit':
        await sync.accept(body.run, body.feed, body.mirror);
        callers.claim(body.run, ref, answer);
        return dispatch({ type: 'submit', run: body.run, owner: ref });
      case 'wait': {
        const run = this.#known(body.run);
        return isEnded(run.state) || run.state === 'rolling-forward'
          ? answer({ value: run })
          : callers.wait(run.id, ref, answer);
      }
      case 'release': {
        const { problem } = body;
        if (problem) runs.update(body.run, { error: problem });
        dispatch({ type: 'release', run: body.run, owner: ref, error: problem ? codeOf(problem) : null });
        return answer({ value: null });
      }
      case 'dry-run':
        return answer({ value: await sync.dryRun(body.feed, body.mirror) });
      case 'runs':
        return answer({ value: runs.list(body.limit) });
      case 'run':
        return answer({ value: this.#known(body.run) });
      case 'watch': {
        const run = this.#known(body.run);
        if (!isEnded(run.state)) callers.watch(run.id, ref);
        return answer({ value: run });
      }
      default:
        return body satisfies never;
    }
  }

  #known(id: string): RunRecord {
    const run = this.#deps.runs.get(id);
    if (run === undefined)
      throw new QuiesceError('not-found', `There is no run ${id}. GET the list for those that are known.`);
    return run;
  }
}

function codeOf(problem: { code: string }): ErrorCode {
  return isErrorCode(problem.code) ? problem.code : 'run-failed';
}
