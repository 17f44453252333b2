/**
 * Events in the order they happened, with ids, kept long enough for a reader that lost its connection to catch up. An
 * id also names this log, so an id of an earlier primary is unknown here.
 */
import { randomBytes } from 'node:crypto';

export interface LoggedEvent {
  readonly seq: number;
  readonly type: 'sample' | 'pause' | 'run' | 'log';
  /** JSON. */
  readonly data: string;
  /** The same for readers who may not change things; null: nothing. */
  readonly publicData: string | null;
}

/** Characters, about ten minutes of a cluster of five workers. */
const capacity = 1_000_000;

export class EventLog {
  readonly #name = randomBytes(6).toString('base64url');
  readonly #capacity: number;
  #events: LoggedEvent[] = [];
  #size = 0;
  #last = 0;

  constructor(limit: number = capacity) {
    this.#capacity = limit;
  }

  /** The number of the newest event; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  append(type: LoggedEvent['type'], data: string, publicData: string | null = data): void {
    this.#events.push({ seq: ++this.#last, type, data, publicData });
    this.#size += data.length;
    let surplus = 0;
    for (; this.#size > this.#capacity && surplus < this.#events.length - 1; surplus++) {
      this.#size -= this.#events[surplus]!.data.length;
    }
    if (surplus > 0) this.#events.splice(0, surplus);
  }

  /** The events after `seq`; null if some of them are no longer kept. */
  after(seq: number): readonly LoggedEvent[] | null {
    const first = this.#last - this.#events.length;
    return seq < first || seq > this.#last ? null : this.#events.slice(seq - first);
  }

  idOf(seq: number): string {
    return `${this.#name}.${seq}`;
  }

  /** The number in an id that this log gave out; null for any other text. */
  seqOf(id: string | undefined): number | null {
    const match = /^([\w-]+)\.(\d{1,15})$/.exec(id ?? '');
    return match?.[1] === this.#name ? Number(match[2]) : null;
  }
}
