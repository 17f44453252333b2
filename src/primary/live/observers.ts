/** Observers show or count what happens to the cluster. They decide nothing, and if one fails, nothing else does. */
import type { Logger } from 'pino';
import type { EvictedHost } from '../../cluster/evictions.ts';
import type { PauseRecord } from '../../protocol/api/live.ts';
import type { Heartbeat } from '../../protocol/workers/messages.ts';
import type { Phase, RunRecord } from '../../protocol/api/runs.ts';
import type { WorkerEvents, WorkerExit, WorkerRef } from '../ports.ts';

export interface Move {
  readonly from: Phase;
  readonly to: Phase;
  readonly epoch: number;
  /** Epoch milliseconds. */
  readonly at: number;
}

export interface Observer {
  moved?(move: Move): void;
  /** `before`: the previous heartbeat of that worker. */
  beat?(worker: WorkerRef, beat: Heartbeat, before: Heartbeat | undefined): void;
  gone?(worker: WorkerRef, exit: WorkerExit): void;
  backoff?(slot: number, looping: boolean): void;
  /** A run is new or has changed. */
  run?(run: RunRecord): void;
  /** A pause has started, changed or ended. */
  paused?(pause: PauseRecord): void;
  /** A host of the cluster was taken out of it. */
  evicted?(host: EvictedHost): void;
}

export class Observers {
  readonly #observers: Observer[] = [];
  readonly #log: Pick<Logger, 'error'>;

  constructor(log: Pick<Logger, 'error'>) {
    this.#log = log;
  }

  add(...observers: readonly Observer[]): void {
    this.#observers.push(...observers);
  }

  moved(move: Move): void {
    this.#tell((observer) => observer.moved?.(move));
  }

  run(run: RunRecord): void {
    this.#tell((observer) => observer.run?.(run));
  }

  paused(pause: PauseRecord): void {
    this.#tell((observer) => observer.paused?.(pause));
  }

  evicted(host: EvictedHost): void {
    this.#tell((observer) => observer.evicted?.(host));
  }

  /** Passes each event on to `events`, and then to the observers. */
  between(events: WorkerEvents, beats: { of(ref: WorkerRef): Heartbeat | undefined }): WorkerEvents {
    return {
      forked: (ref) => events.forked(ref),
      message: (ref, message) => {
        const before = message.type === 'heartbeat' ? beats.of(ref) : undefined;
        events.message(ref, message);
        if (message.type === 'heartbeat') this.#tell((observer) => observer.beat?.(ref, message.beat, before));
      },
      gone: (ref, exit) => {
        events.gone(ref, exit);
        this.#tell((observer) => observer.gone?.(ref, exit));
      },
      backoff: (slot, looping) => {
        events.backoff?.(slot, looping);
        this.#tell((observer) => observer.backoff?.(slot, looping));
      },
    };
  }

  #tell(tell: (observer: Observer) => void): void {
    for (const observer of this.#observers) {
      try {
        tell(observer);
      } catch (error) {
        this.#log.error({ err: error }, 'an observer (events, metrics, notices) failed; the cluster is not affected');
      }
    }
  }
}
