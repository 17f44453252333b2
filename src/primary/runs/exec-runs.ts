/**
 * Runs of `quiesce exec`: the work is a command that the primary neither starts nor stops. The run belongs to the
 * connection on which it was requested, and ends with it.
 */
import { QuiesceError } from '../../errors.ts';
import type { ExecEnd } from '../../protocol/api/answers.ts';
import type { Event, ExecTerms, State } from '../maintenance/machine/state.ts';
import type { Callers, Result } from './requests/callers.ts';
import type { RunStore } from './history/history.ts';

export interface ExecRunsDeps {
  readonly runs: RunStore;
  readonly callers: Callers;
  readonly dispatch: (event: Event) => void;
  readonly state: () => State;
  /** Resolves when the history has the end of the run. */
  readonly ended: (run: string) => Promise<void>;
  /** Resolves when the operator hold is written, or cannot be. */
  readonly written: () => Promise<void>;
}

/** How a command ended: by itself or by a signal; `error` if it could not be started. */
export interface CommandEnd {
  readonly code?: number | undefined;
  readonly signal?: string | undefined;
  readonly error?: string | undefined;
  /** What the work of a program threw: `exclusive` of a site that was started from code. */
  readonly threw?: string | undefined;
}

export class ExecRuns {
  readonly #deps: ExecRunsDeps;

  constructor(deps: ExecRunsDeps) {
    this.#deps = deps;
  }

  /**
   * Resolves with the run when the cluster is quiesced for it.
   *
   * @param owner aborted when the connection is gone
   * @throws QuiesceError `run-in-progress`, `drain-timeout`, `stopping`
   */
  async begin(terms: ExecTerms, owner: AbortSignal): Promise<string> {
    const { runs, callers, dispatch, written } = this.#deps;
    const now = new Date();
    const id = runs.newId(now);
    runs.add({ id, kind: 'exec', state: 'draining', startedAt: now.toISOString() });
    const answer = new Promise<Result>((resolve) => callers.claim(id, null, resolve));
    owner.addEventListener('abort', () => this.#lost(id));
    dispatch({ type: 'exec', run: id, terms });
    runs.update(id, {}); // reports the run to listeners, unless it was refused
    void runs.save(id);
    if (owner.aborted) this.#lost(id);
    const result = await answer;
    if ('error' in result) throw result.error;
    await written(); // before the command starts, a restart must know that it has to hold
    return id;
  }

  /**
   * Resolves when the hold of the run has ended, or has become an operator hold that a restart would know.
   * @throws QuiesceError `not-found`
   */
  async end(id: string, how: CommandEnd): Promise<ExecEnd> {
    const { runs, ended, written, state } = this.#deps;
    const known = runs.get(id);
    if (known?.kind !== 'exec') throw new QuiesceError('not-found', `There is no run of a command ${id}.`);
    if (how.code === 0) this.#finish(id, null);
    else this.#finish(id, new QuiesceError('run-failed', whatBecame(how)));
    await ended(id);
    await written();
    const { operator, site } = state();
    return { run: runs.get(id) ?? known, held: operator !== null || (site !== null && site.operator !== null) };
  }

  /** Calls `listener` when the run has ended, in whatever way. */
  onEnd(id: string, listener: () => void): void {
    void this.#deps.ended(id).then(listener);
  }

  #lost(id: string): void {
    const what =
      '`quiesce exec` disconnected before it reported the end of its command. The command may still be running.';
    this.#finish(id, new QuiesceError('run-failed', what));
  }

  /** Does nothing if the run has ended already. */
  #finish(run: string, error: QuiesceError | null): void {
    const { runs, dispatch, state } = this.#deps;
    if (state().run?.id !== run) return;
    if (error !== null) runs.update(run, { error: error.toProblem() });
    dispatch({ type: 'exec-end', run, error: error?.code ?? null });
  }
}

function whatBecame({ code, signal, error, threw }: CommandEnd): string {
  if (threw !== undefined) return `The work threw: ${threw}`;
  if (error !== undefined) return `The command could not be started: ${error}.`;
  return `The command ${signal === undefined ? `ended with ${code}` : `was killed by ${signal}`}.`;
}
