/** Those who run a command while the cluster is quiesced. */
import type { ClusterModel } from './cluster-model.ts';
import type { Claim } from './model-parts.ts';

export class Commands {
  /** The run whose command is at work. */
  atWork: string | null = null;
  readonly #model: ClusterModel;
  #last = 0;

  constructor(model: ClusterModel) {
    this.#model = model;
  }

  ask(keepOnFailure: boolean, within: number | null): void {
    const id = `command${++this.#last}`;
    this.#model.claims.set(id, { id, kind: 'exec', owner: null, answers: 0, ends: 0, granted: false });
    this.#model.dispatch({ type: 'exec', run: id, terms: { reason: null, by: null, within, keepOnFailure } });
  }

  begin(claim: Claim): void {
    claim.granted = true;
    this.atWork = claim.id;
  }

  /** The command has ended, or its connection has: also before it was granted. */
  end(well: boolean): void {
    const before = this.#model.state.run;
    const run = before?.kind === 'exec' ? before.id : this.atWork;
    if (run === null) return;
    // Once an operator has cancelled it, the hold that stayed is theirs to end.
    const isDecided = before?.asks === 'end';
    const keeps = !well && !isDecided && this.atWork === run && before?.exec?.keepOnFailure === true;
    this.atWork = null;
    this.#model.dispatch({ type: 'exec-end', run, error: well ? null : 'run-failed' });
    const { operator, phase } = this.#model.state;
    // Several hosts have it in their document, as part of the end of the run.
    if (this.#model.rules.asksOthers === true) return;
    if (keeps && (operator === null || phase !== 'quiesced'))
      throw new Error(`S1: the command of ${run} has failed, and the site does not stay held`);
  }

  /** An operator wants the site back, though the command may go on. */
  cancelled(run: string): void {
    if (this.atWork === run) this.atWork = null;
  }
}
