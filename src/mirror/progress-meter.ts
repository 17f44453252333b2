/** Turns counts into progress with a rate and an estimate, at most ten times a second. */
import type { Progress } from '../protocol/api/runs.ts';

const interval = 100;

export class ProgressMeter {
  readonly #send: (progress: Progress) => void;
  #step: Progress['step'] | null = null;
  #startedAt = 0;
  #sentAt = 0;

  constructor(send: (progress: Progress) => void) {
    this.#send = send;
  }

  /** Starts a step. Its first progress is always sent. */
  start(step: Progress['step'], total?: number): void {
    this.#step = step;
    this.#startedAt = performance.now();
    this.#sentAt = 0;
    this.tick(0, total);
  }

  /** Reports `done` of `total` in the current step. */
  tick(done: number, total?: number): void {
    const step = this.#step;
    const now = performance.now();
    if (step === null || now - this.#sentAt < interval) return;
    this.#sentAt = now;
    const elapsed = now - this.#startedAt;
    const rate = elapsed > 0 && done > 0 ? (done / elapsed) * 1000 : undefined;
    this.#send({
      step,
      done,
      ...(total === undefined ? {} : { total }),
      ...(rate === undefined ? {} : { rate }),
      ...(rate === undefined || total === undefined ? {} : { eta: Math.max(0, ((total - done) / rate) * 1000) }),
    });
  }
}
