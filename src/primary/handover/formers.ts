/**
 * Primaries that have handed over to this one, and still finish what is in flight. To the maintenance state each is one
 * worker that is at work until it has gone, and every process of it: a pause waits for their last handler.
 */
import type { Logger } from 'pino';
import type { Former } from '../../protocol/keeper/messages.ts';
import { lifeOf } from '../data-dir/lock-owner.ts';
import { allGone, endWorkers, type WorkerRecord } from '../fleet/process/former-workers.ts';
import type { WorkerRef } from '../ports.ts';

/** Of no worker of this primary. */
const slot = -1;

export class Formers {
  readonly #there: Map<number, Former>;
  readonly #workers: readonly WorkerRecord[];
  readonly #log: Logger;

  /** @param workers on record for them */
  constructor(former: readonly Former[], workers: readonly WorkerRecord[], log: Logger) {
    this.#there = new Map(former.map((each) => [each.id, each]));
    this.#workers = workers;
    this.#log = log;
  }

  get refs(): WorkerRef[] {
    return [...this.#there.keys()].map((incarnation) => ({ slot, incarnation }));
  }

  /** Their workers that are to be kept on record. */
  get workers(): readonly WorkerRecord[] {
    const pids = new Set([...this.#there.values()].map(({ pid }) => pid));
    return this.#workers.filter(({ primary }) => primary !== undefined && pids.has(primary));
  }

  /** What a pause may wait for; null where none is left. */
  get text(): string | null {
    if (this.#there.size === 0) return null;
    const pids = [...this.#there.values()].map(({ pid }) => pid).join(', ');
    return `The former primary (pid ${pids}) finishes what is in flight, and a pause waits for it.`;
  }

  /** Resolves when none of their workers is left, or after `within` ms; with whether that is so. */
  ended(within: number): Promise<boolean> {
    return allGone(() => this.workers.filter((each) => lifeOf(each) === 'alive'), within);
  }

  /** The process has ended. Resolves when all of its workers have too, with the worker that it was to the state. */
  async gone(id: number): Promise<WorkerRef | null> {
    const former = this.#there.get(id);
    if (former === undefined) return null;
    await endWorkers(
      this.#workers.filter(({ primary }) => primary === former.pid),
      this.#log,
    );
    this.#there.delete(id);
    this.#log.info({ former: former.pid }, `the former primary (pid ${former.pid}) has finished`);
    return { slot, incarnation: id };
  }
}
