/** Answers the requests of workers. A claim and a submission are answered later, when their outcome is known. */
import type { Logger } from 'pino';
import { isErrorCode, QuiesceError, type ErrorCode, type Problem } from '../../../errors.ts';
import type { Replies, RequestBody } from '../../../protocol/workers/messages.ts';
import { isEnded } from '../../../protocol/api/is-ended.ts';
import type { RunRecord } from '../../../protocol/api/runs.ts';
import type { Answer, Callers } from './callers.ts';
import type { Event, State } from '../../maintenance/machine/state.ts';
import { removeHeld } from '../../data-dir/durable.ts';
import { clearSocket } from '../../fleet/addresses/unix-sockets.ts';
import type { WorkerRef } from '../../ports.ts';
import { lateSubmission } from './end.ts';
import { isOf } from '../history/of-mirror.ts';
import type { RunStore } from '../history/history.ts';
import type { SyncRuns } from '../feeds/feed-runs.ts';
import { quietly } from '../history/quietly.ts';
import { isUploadOf } from '../feeds/uploads.ts';
import { keyOf } from '../../worker-ref.ts';

export interface WorkerRequestsDeps {
  readonly runs: RunStore;
  readonly sync: SyncRuns;
  readonly callers: Callers;
  readonly dispatch: (event: Event) => void;
  readonly state: () => State;
  readonly log: Logger;
}

const handingOverText = 'Another primary is about to take over. Send the feed again in a moment.';

export class WorkerRequests {
  readonly #deps: WorkerRequestsDeps;

  constructor(deps: WorkerRequestsDeps) {
    this.#deps = deps;
  }

  /** Rejects with the error for the worker. */
  async answer(ref: WorkerRef, body: RequestBody, answer: Answer): Promise<void> {
    const { runs, sync, callers, dispatch, log } = this.#deps;
    switch (body.op) {
      case 'claim': {
        if (body.kind === 'sync') sync.database.require();
        const now = new Date();
        const id = runs.newId(now);
        const owner = { slot: ref.slot, incarnation: ref.incarnation, method: body.method, path: body.path };
        const { kind, collection, scope, source } = body;
        const feed = {
          ...(collection === undefined ? {} : { collection }),
          ...(scope === undefined ? {} : { scope }),
          ...(source === undefined ? {} : { source }),
        };
        runs.add({ id, kind, state: 'uploading', owner, ...feed, startedAt: now.toISOString() });
        callers.claim(id, ref, answer);
        dispatch({ type: 'claim', run: id, kind: body.kind, owner: ref, timeout: body.timeout });
        runs.update(id, {}); // reports the run to listeners, unless it was refused
        return void runs.save(id); // if the primary dies, the history has it; a refused one is removed
      }
      case 'submit':
        this.#requireUpload(ref, body.feed.path);
        if (!this.#owns(ref, body.run)) {
          await quietly(log, removeHeld(body.feed.path), body.run);
          throw lateSubmission(runs.get(body.run));
        }
        await sync.accept(body.run, body.feed, body.mirror, { worker: ref, hooks: body.hooks ?? [] });
        callers.claim(body.run, ref, answer);
        return dispatch({ type: 'submit', run: body.run, owner: ref });
      case 'hook-ended':
        sync.hooks.ended(ref, body.run, body.hook, body.problem as Problem | undefined);
        return answer({ value: null });
      case 'wait': {
        const run = this.#known(body.run);
        return isEnded(run.state) || run.state === 'rolling-forward'
          ? answer({ value: run })
          : callers.wait(run.id, ref, answer);
      }
      case 'release': {
        const { run, problem } = body;
        if (this.#owns(ref, run)) {
          if (problem) runs.update(run, { error: problem });
          dispatch({ type: 'release', run, owner: ref, error: problem ? codeOf(problem) : null });
        }
        return answer({ value: { goesOn: this.#deps.state().run?.id === run } satisfies Replies['release'] });
      }
      case 'begin-dry-run':
        sync.database.require();
        if (this.#deps.state().handingOver) throw new QuiesceError('stopping', handingOverText);
        return answer({ value: sync.dryRuns.begin(ref) });
      case 'end-dry-run':
        return answer({ value: sync.dryRuns.end(ref) });
      case 'dry-run':
        this.#requireUpload(ref, body.feed.path);
        return answer({ value: await sync.dryRun(ref, body.feed, body.mirror) });
      case 'may-listen':
        return answer({ value: null });
      case 'foresee':
        void sync.database.foresee(body.mirror);
        return answer({ value: null });
      case 'clear-socket':
        await clearSocket(body.path, log);
        return answer({ value: null });
      case 'runs':
        return answer({ value: runs.list(body.limit, body.mirror && isOf(body.mirror)) });
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

  /** Whether the current run is this one, and still belongs to this worker. */
  #owns(ref: WorkerRef, run: string): boolean {
    const current = this.#deps.state().run;
    return current?.id === run && current.owner !== null && keyOf(current.owner) === keyOf(ref);
  }

  #requireUpload(ref: WorkerRef, path: string): void {
    if (isUploadOf(ref, path, this.#deps.sync.spoolDir)) return;
    throw new QuiesceError('bad-request', `Worker ${keyOf(ref)} has not uploaded ${path}, so it is not read.`);
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
