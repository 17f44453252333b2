/** The types of the supervisor's model: what is known of each slot, what can happen, and what to do. */
import type { QuiesceError } from '../../../errors.ts';
import type { Mutable } from '../../../moves.ts';
import type { Grace } from '../../../protocol/workers/messages.ts';
import type { ExitCause } from '../../../protocol/api/runs.ts';
import type { WorkerExit, WorkerRef } from '../../ports.ts';
import { noMemoryRecord, type MemoryRecord } from './memory-policy.ts';
import { emptyRecord, type RestartRecord, type RestartSettings } from './restart-policy.ts';

/** starting ──ready──▶ serving ──stop──▶ stopping; starting ──stop──▶ stopping. Each ends when the process is gone. */
export type Stage = 'starting' | 'serving' | 'stopping';

export interface Incarnation extends WorkerRef {
  readonly stage: Stage;
  /** Grows with each reload; shows which workers are older than a reload. */
  readonly generation: number;
  readonly forkedAt: number;
  readonly readyAt: number | null;
  /** Why it must be replaced as soon as its replacement serves. */
  readonly retire: 'memory' | null;
  /** When it was first seen above the memory limit. */
  readonly largeSince: number | null;
  /** Its exclusive run is in progress: only the end of the whole cluster stops it. */
  readonly pinned: boolean;
  /** How the primary ends it; null if an end would be its own. */
  readonly ending: ExitCause | null;
  /** When its time to finish ends. */
  readonly killAt: number | null;
  /** It has reported that it still answers requests, and has more time for them. */
  readonly answering: boolean;
  readonly killed: boolean;
  readonly slowNoted: boolean;
}

/** An end that nobody requested. */
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
  /** No fork before this time; null once it has passed. */
  readonly retryAt: number | null;
  /** Ends that nobody requested, and replacements because of memory. */
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
  /** The newest incarnation of each slot ever. No number is used twice, even after scaling down and up. */
  readonly lastIncarnations: readonly number[];
  readonly generation: number;
  /** Every worker older than this generation is being replaced; null if no reload is in progress. */
  readonly reload: number | null;
  /** A reload that takes back a failed one does not replace workers older than this generation. Otherwise 0. */
  readonly spared: number;
  /** A change of `target` that is not reached yet, and the former target to return to if it fails. */
  readonly scale: { readonly from: number } | null;
  readonly haltReason: QuiesceError | null;
  /** It is stopping because another primary serves: a worker that still answers has the time that a reload gives it. */
  readonly patient: boolean;
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
  /** `from`: replace only workers of this generation and later ones. */
  | { readonly type: 'reload'; readonly from?: number }
  | { readonly type: 'scale'; readonly target: number }
  /** Replace it; start the new one first. */
  | { readonly type: 'retire'; readonly ref: WorkerRef; readonly cause: 'memory'; readonly why: string }
  | { readonly type: 'kill'; readonly ref: WorkerRef; readonly cause: 'heartbeat' | 'killed'; readonly why: string }
  | { readonly type: 'pin'; readonly ref: WorkerRef; readonly pinned: boolean }
  /** A stopping worker needs more time for its requests in flight, or needs it no longer. */
  | { readonly type: 'answering'; readonly ref: WorkerRef; readonly answering: boolean }
  /** `patient`: another primary serves, so nobody waits for the end. A later stop without it takes that back. */
  | { readonly type: 'stop'; readonly now: boolean; readonly patient?: boolean }
  /** A deadline may have passed. */
  | { readonly type: 'tick' };

export type Task = 'start' | 'reload' | 'scale' | 'stop';

export type Effect =
  | { readonly type: 'fork'; readonly ref: WorkerRef }
  /** Request it to finish; SIGKILL follows after that time. */
  | { readonly type: 'stop'; readonly ref: WorkerRef; readonly grace: Grace }
  /** `late`: its time to finish has ended, and its requests in flight are cut off. */
  | { readonly type: 'kill'; readonly ref: WorkerRef; readonly why: string; readonly late?: true }
  /** It goes on serving until its replacement serves. */
  | { readonly type: 'retired'; readonly ref: WorkerRef; readonly why: string }
  | { readonly type: 'ended'; readonly ref: WorkerRef; readonly exit: WorkerExit }
  /** A slot waits before its next fork. */
  | { readonly type: 'backoff'; readonly slot: number; readonly delay: number; readonly looping: boolean }
  | { readonly type: 'slow'; readonly ref: WorkerRef; readonly after: number }
  /** Every caller that waits for this task gets its outcome. */
  | { readonly type: 'settle'; readonly task: Task; readonly error?: QuiesceError };

export interface FleetSettings {
  /** How long a worker has to finish, ms. */
  readonly killTimeout: number;
  /** How long a worker that still answers requests has to finish, unless the site is stopped, ms. */
  readonly answerTimeout: number;
  readonly webSocketTimeout: number;
  /** A worker that is not ready after this time is logged, ms. */
  readonly slowBoot: number;
  /** A worker that is not ready after this time has failed to boot, ms. */
  readonly bootLimit: number;
  /** How long a new worker must serve before a task is done, ms. */
  readonly probation: number;
  readonly restart: RestartSettings;
}

/** While no worker was ever ready, this many boot failures, at least one of them in each slot, end the start. */
export const bootTries = 3;

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
    patient: false,
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

/** True if nothing is forked any more. */
export function ending(fleet: Pick<Fleet, 'phase'>): boolean {
  return fleet.phase !== 'booting' && fleet.phase !== 'running';
}

/** True if workers that still answer have no more time than others: nobody serves in their place. */
export function isHurried(fleet: Pick<Fleet, 'phase' | 'patient'>): boolean {
  return ending(fleet) && !fleet.patient;
}

export function stageOf({ slots }: Pick<Fleet, 'slots'>, ref: WorkerRef): Stage | undefined {
  const slot = slots.find((each) => each.slot === ref.slot);
  return slot?.incarnations.find((each) => each.incarnation === ref.incarnation)?.stage;
}
