/** What the model of a cluster is made of. */
import type { Event, Rules, State, Time } from '#quiesce/primary/maintenance/machine/state.js';
import type { step, Step } from '#quiesce/primary/maintenance/machine/step.js';
import type { WorkerRef } from '#quiesce/primary/ports.js';

export type StepFunction = typeof step;

/** What a mutant may change. */
export interface Faults {
  readonly step?: (real: StepFunction, state: State, event: Event, now: Time, rules: Rules) => Step;
  readonly startsOpen?: boolean;
  /** A worker that loses a message takes the next best for it: it opens on any resume, however old. */
  readonly believesOldResume?: boolean;
  /** A drain does not wait for what the app stops. */
  readonly stopsNothing?: boolean;
  readonly opensBeforeListeners?: boolean;
  /** When the listeners are done, it opens whatever has come since. */
  readonly opensLate?: boolean;
}

export interface Worker {
  readonly ref: WorkerRef;
  alive: boolean;
  gate: 'starting' | 'open' | 'shut';
  epoch: number;
  inFlight: number;
  /** The run of its exclusive handler that is at work. */
  exclusive: string | null;
  /** Something of the app's still stops (`onPause`). */
  stopping: boolean;
  /** The epoch of a resume that waits for those who listen. */
  opening: number | null;
  /** The runs that it was told of. */
  readonly told: Set<string>;
  /** The runs that have changed documents, and of which its listeners have not heard to the end. */
  readonly unheard: Set<string>;
}

export type ToWorker = { readonly to: Worker } & (
  | { readonly type: 'pause' | 'cut'; readonly epoch: number }
  | { readonly type: 'resume'; readonly epoch: number; readonly mirrored: readonly string[] }
  | { readonly type: 'granted'; readonly run: string }
);

export type Message = { readonly to: 'primary'; readonly event: Event } | ToWorker;

export interface Claim {
  readonly id: string;
  readonly kind: 'sync' | 'exclusive' | 'exec';
  /** Null for a command. */
  readonly owner: Worker | null;
  answers: number;
  ends: number;
  granted: boolean;
}

export function typeOf(message: Message): string {
  return message.to === 'primary' ? message.event.type : message.type;
}
