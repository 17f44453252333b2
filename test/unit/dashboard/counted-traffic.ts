import type { Heartbeat } from '#quiesce/protocol/workers/messages.js';
import { Traffic } from '#quiesce/primary/live/traffic.js';
import { Beats } from '#quiesce/primary/maintenance/beats.js';
import type { WorkerRef } from '#quiesce/primary/ports.js';

/** What a primary knows of requests: their rates, and how many were refused. */
export class CountedTraffic extends Traffic {
  readonly #beats = new Beats();

  get refused(): number {
    return this.#beats.refused;
  }

  override beat(ref: WorkerRef, beat: Heartbeat): void {
    this.#beats.set(ref, beat);
    super.beat(ref, beat);
  }

  override gone(ref: WorkerRef): void {
    this.#beats.forget(ref);
    super.gone(ref);
  }
}
