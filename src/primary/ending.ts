/** Ends a primary: running → stopping (waits for a run in progress) → over; a second request stops at once. */
import type { Logger } from 'pino';
import { toQuiesceError, type QuiesceError } from '../errors.ts';
import type { Coordinator } from './maintenance/coordinator.ts';
import type { Supervisor } from './fleet/supervisor.ts';

export class Ending {
  readonly over: Promise<number>;
  readonly #coordinator: Coordinator;
  readonly #supervisor: Supervisor;
  readonly #log: Logger;
  #begun = false;
  #resolve!: (code: number) => void;
  #reject!: (error: QuiesceError) => void;

  constructor(coordinator: Coordinator, supervisor: Supervisor, log: Logger) {
    this.#coordinator = coordinator;
    this.#supervisor = supervisor;
    this.#log = log;
    this.over = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.over.catch(() => {}); // it may reject before anything waits for it
  }

  begin(now: boolean): void {
    const atOnce = now || this.#begun;
    if (!this.#begun) this.#log.info(atOnce ? 'stopping at once' : 'stopping: what is in flight is finished first');
    const { run } = this.#coordinator.state;
    if (run !== null && !atOnce)
      this.#log.info({ run: run.id }, `the stop waits for run ${run.id}; to end it: quiesce runs cancel ${run.id}`);
    this.#begun = true;
    this.#settle(
      atOnce
        ? this.#supervisor.stop({ now: true })
        : this.#coordinator.stop().then(() => this.#supervisor.stop({ now: false })),
    );
  }

  /** Another primary serves. Resolves when no worker is left. A stop that comes after this is the first one. */
  leave(): Promise<void> {
    this.#log.info('the successor serves: what is in flight is finished, and this primary ends');
    const stopped = this.#supervisor.stop({ now: false, patient: true });
    this.#settle(stopped);
    return stopped;
  }

  fail(error: QuiesceError): void {
    this.#begun = true;
    void this.#supervisor.stop({ now: true }).finally(() => this.#reject(error));
  }

  #settle(stopped: Promise<void>): void {
    stopped.then(
      () => this.#resolve(0),
      (error: unknown) => this.#reject(toQuiesceError(error)),
    );
  }
}
