/**
 * Where the workers listen, and since when.
 *
 * Workers that are forked while another primary serves load the app and wait before they listen: `asks` is as far as they
 * come until this primary has taken over.
 *
 *   forked → asks (only where they wait) → listens
 */
import type { Address } from 'node:cluster';
import { waitsVariable } from '../../../protocol/keeper/names.ts';
import { QuiesceError } from '../../../errors.ts';
import type { FromWorker } from '../../../protocol/workers/messages.ts';
import type { WorkerRef } from '../../ports.ts';
import { keyOf } from '../../worker-ref.ts';
import { appUrl } from './app-urls.ts';

interface Worker {
  readonly urls: Set<string>;
  asks: boolean;
  listens: boolean;
  /** The app has said that it is ready (`wait_ready`). */
  says: boolean;
}

const unknown: Worker = { urls: new Set(), asks: false, listens: false, says: false };
type Slots = { readonly incarnations: readonly WorkerRef[] };

export class Listening {
  readonly #workers = new Map<string, Worker>();
  readonly #looks = new Set<() => void>();
  #urls: ReadonlySet<string> = new Set();
  #waits: boolean;

  /** @param waits another primary serves: no worker listens before {@link take} */
  constructor(waits: boolean) {
    this.#waits = waits;
  }

  /** Whether workers that are forked now wait. */
  get waits(): boolean {
    return this.#waits;
  }

  /** What a worker that is forked now gets in its environment. */
  get variables(): Readonly<Record<string, string | undefined>> {
    return { [waitsVariable]: this.#waits ? '1' : undefined };
  }

  /**
   * This primary has taken over: workers that wait are to be answered now. Resolves when each slot has one that listens.
   *
   * @param waitReady whether an app has to say that it is ready as well
   * @param within ms
   * @throws QuiesceError `boot-failed` where that takes too long
   */
  take(slots: () => readonly Slots[], waitReady: boolean, within: number): Promise<void> {
    this.#waits = false;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new QuiesceError('boot-failed', `Not every worker listened within ${within} ms of the handover.`));
      }, within);
      const serves = ({ asks, listens, says }: Worker): boolean => (waitReady ? says && (listens || !asks) : listens);
      void this.#everySlot(slots, serves).then(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Resolves when each slot has a worker that could listen; at once where none waits. */
  prepared(slots: () => readonly Slots[]): Promise<void> {
    if (!this.#waits) return Promise.resolve();
    return this.#everySlot(slots, ({ asks, listens, says }) => asks || listens || says);
  }

  /** Whether the message says that the worker waits to listen. */
  asks(ref: WorkerRef, message: FromWorker): boolean {
    if (message.type !== 'request' || message.body.op !== 'may-listen') return false;
    this.#of(ref).asks = true;
    this.#look();
    return true;
  }

  says(ref: WorkerRef): void {
    this.#of(ref).says = true;
    this.#look();
  }

  listens(ref: WorkerRef, address: Address): void {
    const worker = this.#of(ref);
    const url = appUrl(address);
    if (url !== null) worker.urls.add(url);
    worker.listens = true;
    this.#look();
  }

  forget(ref: WorkerRef): void {
    this.#workers.delete(keyOf(ref));
  }

  /** Where the app listens, such as `http://127.0.0.1:3000`. */
  urls(): string[] {
    const urls = new Set([...this.#workers.values()].flatMap((each) => [...each.urls]));
    // A slot that waits for its next worker has not moved.
    if (urls.size > 0) this.#urls = urls;
    return [...this.#urls];
  }

  #of(ref: WorkerRef): Worker {
    const known = this.#workers.get(keyOf(ref)) ?? { ...unknown, urls: new Set<string>() };
    this.#workers.set(keyOf(ref), known);
    return known;
  }

  #everySlot(slots: () => readonly Slots[], isSo: (worker: Worker) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (
          !slots().every(({ incarnations }) =>
            incarnations.some((ref) => isSo(this.#workers.get(keyOf(ref)) ?? unknown)),
          )
        )
          return;
        this.#looks.delete(look);
        resolve();
      };
      this.#looks.add(look);
      look();
    });
  }

  #look(): void {
    for (const look of this.#looks) look();
  }
}
