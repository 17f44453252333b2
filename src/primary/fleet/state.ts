/** The shapes of the supervisor's model: what is known of each slot, what can happen and what is to be done. */
import type { QuiesceError } from '../../errors.ts';
import type { ExitCause } from '../../protocol/runs.ts';
import type { WorkerExit, WorkerRef } from '../ports.ts';
import { noMemoryRecord, type MemoryRecord } from './memory-policy.ts';
import { emptyRecord, type RestartRecord, type RestartSettings } from './restart-policy.ts';

/** starting ──ready──▶ serving ──stop──▶ stopping; starting ──stop──▶ stopping. The end is to be gone. */
export type Stage = 'starting' | 'serving' | 'stopping';

export interface Incarnation extends WorkerRef {
  readonly stage: Stage;
  /** Grows with each reload; tells which workers are older than one. */
  readonly generation: number;
  readonly forkedAt: number;
  readonly readyAt: number | null;
  /** Why it is to be replaced as soon as its replacement serves. */
  readonly retire: 'memory' | null;
  /** When it was first seen above the memory limit. */
  readonly largeSince: number | null;
  /** Its exclusive run is going on: only the end of the whole cluster stops it. */
  readonly pinned: boolean;
  /** What we did to end it; null where its end would be its own doing. */
  readonly ending: ExitCause | null;
  /** When its time to finish is over. */
  readonly killAt: number | null;
  readonly killed: boolean;
  readonly slowNoted: boolean;
}

/** An end that nobody asked for. */
export interface Exit extends WorkerExit {
  readonly incarnation: number;
  /** On the clock of `step`, ms. */
  readonly at: number;
}

export interface Slot {
  readonly slot: number;
  /** The newest last. */
  readonly incarnations: readonly Incarnation[];
  readonly record: RestartRecord;
  /** Boot failures since a worker of this slot was last ready. */
  readonly bootFailures: number;
  /** No fork before then; null once it has passed. */
  readonly retryAt: number | null;
  /** Ends that nobody asked for, and replacements for memory. */
  readonly restarts: number;
  readonly lastExit: Exit | null;
  readonly memory: MemoryRecord;
  readonly everReady: boolean;
}

/** booting ──▶ running ──▶ stopping ──▶ stopped; booting ──▶ halting ──▶ stopped (no worker could boot). */
export type FleetPhase = 'booting' | 'running' | 'stopping' | 'halting' | 'stopped';

export interface Fleet {
  readonly phase: FleetPhase;
  /** How many slots are wanted. */
  readonly target: number;
  readonly slots: readonly Slot[];
  /** The newest incarnation of each slot there ever was: none comes twice, whatever is scaled down and up. */
  readonly lastIncarnations: readonly number[];
  readonly generation: number;
  /** Every worker older than this generation is being replaced; null where no reload is going on. */
  readonly reload: number | null;
  /** Workers older than this generation are spared by the reload: it takes back one that has failed. Else 0. */
  readonly spared: number;
  /** A change of `target` that has not been reached yet, and what to go back to where it cannot be. */
  readonly scale: { readonly from: number } | null;
  readonly haltReason: QuiesceError | null;
}

export type FleetEvent =
  | { readonly type: 'start' }
  | { readonly type: 'ready'; readonly ref: WorkerRef }
  | {
      readonly type: 'gone';
      readonly ref: WorkerRef;
      readonly exit: Omit<WorkerExit, 'cause'>;
      readonly portInUse?: boolean;
    }
  /** `from`: only the workers of this generation and later ones are replaced. */
  | { readonly type: 'reload'; readonly from?: number }
  | { readonly type: 'scale'; readonly target: number }
  /** Replace it, the new one first. */
  | { readonly type: 'retire'; readonly ref: WorkerRef; readonly cause: 'memory'; readonly why: string }
  | { readonly type: 'kill'; readonly ref: WorkerRef; readonly cause: 'heartbeat' | 'killed'; readonly why: string }
  | { readonly type: 'pin'; readonly ref: WorkerRef; readonly pinned: boolean }
  | { readonly type: 'stop'; readonly now: boolean }
  /** A deadline may have passed. */
  | { readonly type: 'tick' };

export type Task = 'start' | 'reload' | 'scale' | 'stop';

export type Effect =
  | { readonly type: 'fork'; readonly ref: WorkerRef }
  /** Ask it to finish; SIGKILL follows when `timeout` ms are over. */
  | { readonly type: 'stop'; readonly ref: WorkerRef; readonly timeout: number }
  /** `late`: its time to finish is over, and what it still does is cut off. */
  | { readonly type: 'kill'; readonly ref: WorkerRef; readonly why: string; readonly late?: true }
  /** It serves on until its replacement does. */
  | { readonly type: 'retired'; readonly ref: WorkerRef; readonly why: string }
  | { readonly type: 'ended'; readonly ref: WorkerRef; readonly exit: WorkerExit }
  /** A slot waits before its next fork. */
  | { readonly type: 'backoff'; readonly slot: number; readonly delay: number; readonly looping: boolean }
  | { readonly type: 'slow'; readonly ref: WorkerRef; readonly after: number }
  /** All that wait for this task get its outcome. */
  | { readonly type: 'settle'; readonly task: Task; readonly error?: QuiesceError };

export interface FleetSettings {
  /** How long a worker has to finish, ms. */
  readonly killTimeout: number;
  /** Past it a worker that is not ready is worth a warning, ms. */
  readonly slowBoot: number;
  /** Past it a worker that is not ready has failed to boot, ms. */
  readonly bootLimit: number;
  /** A worker has to serve so long before an order is done, ms. */
  readonly probation: number;
  readonly restart: RestartSettings;
}

/** As long as no worker has ever been ready, this many boot failures, one at least in each slot, end the start. */
export const bootTries = 3;

export type Mutable<T> = { -readonly [K in keyof T]: T[K] };
/** A private copy of the fleet that one step may change. */
export type Draft = Mutable<Omit<Fleet, 'slots' | 'lastIncarnations'>> & {
  slots: DraftSlot[];
  lastIncarnations: number[];
};
export type DraftSlot = Mutable<Omit<Slot, 'incarnations'>> & { incarnations: Mutable<Incarnation>[] };

export function newFleet(target: number): Fleet {
  return {
    phase: 'booting',
    target,
    slots: [],
    lastIncarnations: [],
    generation: 1,
    reload: null,
    spared: 0,
    scale: null,
    haltReason: null,
  };
}

export function newSlot(slot: number): DraftSlot {
  return {
    slot,
    incarnations: [],
    record: emptyRecord,
    bootFailures: 0,
    retryAt: null,
    restarts: 0,
    lastExit: null,
    memory: noMemoryRecord,
    everReady: false,
  };
}

/** Nothing is forked any more. */
export function ending(fleet: Pick<Fleet, 'phase'>): boolean {
  return fleet.phase !== 'booting' && fleet.phase !== 'running';
}

export function stageOf({ slots }: Pick<Fleet, 'slots'>, ref: WorkerRef): Stage | undefined {
  const slot = slots.find((each) => each.slot === ref.slot);
  return slot?.incarnations.find((each) => each.incarnation === ref.incarnation)?.stage;
}
