/** Keeps what ended runs may have changed, for workers that have not heard of it yet. */
import type { QuiesceError } from '../../../errors.ts';
import type { Mirrored } from '../../../protocol/workers/messages.ts';
import { changedKeysOf, endState, type Work } from '../history/report.ts';

/** How many runs are kept. A worker hears of each within a second of the resume; only under a hold it takes longer. */
const kept = 50;

type MirroredWork = Pick<Work, 'mirror' | 'written' | 'begunBefore' | 'dirty' | 'abandoned'>;

export class MirroredRuns {
  readonly #runs = new Map<string, Mirrored>();

  /** Call when the run has ended. */
  add(run: string, work: MirroredWork, error: QuiesceError | null): void {
    const end = outcomeOf(work, error !== null);
    if (end !== null) this.put({ run, ...end, keys: end.outcome === 'succeeded' ? changedKeysOf(work) : null });
  }

  /** Of a run that this host knows by what another says. */
  put(event: Mirrored): void {
    this.#runs.set(event.run, event);
    if (this.#runs.size > kept) this.#runs.delete(this.#runs.keys().next().value!);
  }

  /** The events of these runs, in this order. */
  of(runs: readonly string[]): Mirrored[] {
    return runs.flatMap((run) => this.#runs.get(run) ?? []);
  }
}

/** What became of the feed; null if none was accepted. */
export function outcomeOf(work: MirroredWork, hasFailed: boolean): Omit<Mirrored, 'run' | 'keys'> | null {
  const { mirror, written } = work;
  if (mirror === undefined) return null;
  const outcome = endState(work, hasFailed);
  return { collection: mirror.collection, outcome, counts: outcome === 'succeeded' ? (written?.counts ?? null) : null };
}
