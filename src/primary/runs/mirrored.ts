/** What ended runs may have changed, for the workers that have still to hear of it. */
import type { QuiesceError } from '../../errors.ts';
import type { Mirrored } from '../../protocol/messages.ts';
import { changedKeysOf, endState, type Work } from './report.ts';

/** So many runs are kept. A worker hears of each within a second of the resume, and only a hold lasts longer. */
const kept = 50;

type MirroredWork = Pick<Work, 'mirror' | 'written' | 'begunBefore' | 'dirty' | 'abandoned'>;

export class MirroredRuns {
  readonly #runs = new Map<string, Mirrored>();

  /** The run has ended. */
  add(run: string, work: MirroredWork, error: QuiesceError | null): void {
    const event = mirroredOf(run, work, error);
    if (event === null) return;
    this.#runs.set(run, event);
    if (this.#runs.size > kept) this.#runs.delete(this.#runs.keys().next().value!);
  }

  /** In that order. */
  of(runs: readonly string[]): Mirrored[] {
    return runs.flatMap((run) => this.#runs.get(run) ?? []);
  }
}

/** Null where no feed was ever accepted. */
function mirroredOf(run: string, work: MirroredWork, error: QuiesceError | null): Mirrored | null {
  const { mirror, written } = work;
  if (mirror === undefined) return null;
  const outcome = endState(work, error);
  return {
    run,
    collection: mirror.collection,
    outcome,
    counts: outcome === 'succeeded' ? (written?.counts ?? null) : null,
    keys: outcome === 'succeeded' ? changedKeysOf(work) : null,
  };
}
