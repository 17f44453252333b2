/**
 * The sources that the mirrors of the app bring: `mirror({ source })`. Each worker tells those of its mirrors, and what
 * any of them tells is fetched.
 *
 * Of a worker: told → (crash) left → (a later worker of the slot tells its own) forgotten. So a crash does not stop a
 * source. A worker that is ended on purpose, as in a reload, takes its sources along, unless another has them too.
 */
import { isDeepStrictEqual } from 'node:util';
import type { FeedSourceSettings } from '../../config/values/source-members.ts';
import type { WorkerEvents, WorkerExit, WorkerRef } from '../ports.ts';

interface Told extends WorkerRef {
  readonly sources: readonly FeedSourceSettings[];
  left: boolean;
}

export class BroughtSources {
  #told: Told[] = [];
  readonly #onChange: (sources: readonly FeedSourceSettings[]) => void;

  constructor(onChange: (sources: readonly FeedSourceSettings[]) => void) {
    this.#onChange = onChange;
  }

  /** Whether a mirror of this worker has it. */
  isOf({ slot, incarnation }: WorkerRef, source: FeedSourceSettings): boolean {
    return this.#told.some(
      (told) => told.slot === slot && told.incarnation === incarnation && has(told.sources, source),
    );
  }

  /** Sees what workers send, before `events` does. */
  between(events: WorkerEvents): WorkerEvents {
    return {
      ...events,
      message: (ref, message) => {
        if (message.type === 'sources') this.#tells(ref, message.sources);
        events.message(ref, message);
      },
      gone: (ref, exit) => {
        this.#gone(ref, exit);
        events.gone(ref, exit);
      },
    };
  }

  #tells({ slot, incarnation }: WorkerRef, sources: readonly FeedSourceSettings[]): void {
    this.#keep((told) => told.slot !== slot || (told.incarnation !== incarnation && !told.left));
    this.#told.push({ slot, incarnation, sources, left: false });
    this.#changed();
  }

  #gone({ slot, incarnation }: WorkerRef, { cause }: WorkerExit): void {
    const before = this.#told.length;
    if (cause === 'planned') this.#keep((told) => told.slot !== slot || told.incarnation > incarnation);
    else if (cause === 'boot-failure') this.#keep((told) => told.slot !== slot || told.incarnation !== incarnation);
    else for (const told of this.#told) if (told.slot === slot && told.incarnation === incarnation) told.left = true;
    if (this.#told.length < before) this.#changed();
  }

  #keep(which: (told: Told) => boolean): void {
    this.#told = this.#told.filter(which);
  }

  #changed(): void {
    const all = this.#told.flatMap(({ sources }) => sources);
    this.#onChange(all.filter((source, at) => !has(all.slice(0, at), source)));
  }
}

function has(sources: readonly FeedSourceSettings[], source: FeedSourceSettings): boolean {
  return sources.some((one) => isDeepStrictEqual(one, source));
}
