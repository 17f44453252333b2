/**
 * The maintenance state of a cluster: its parts, the events that change it, and the effects that follow.
 *
 * phase   serving → draining → quiesced → serving; also draining → serving (the reason went away), and
 *         quiesced → draining and draining → draining (a run that starts while gates are shut gets a pause of its own)
 * run     claimed → preparing → draining → running → ending → (none), or the end from any stage
 * worker  shut (as forked) → open → draining → shut …
 *
 * The gates are shut while a hold stands: the operator's; that of a run from `draining` on; that of runs which an
 * earlier primary left unfinished (each starts when the one before it has ended); or the site's, which other hosts
 * want. A run goes to its next stage when the other hosts agree; without other hosts, in the same step.
 */
import type { ErrorCode } from '../../../errors.ts';
import type { Phase } from '../../../protocol/api/runs.ts';
import type { GateState, RunKind } from '../../../protocol/words.ts';
import type { HoldChange, OperatorHold, ScheduledHold } from '../../../protocol/hold/operator-hold.ts';
import type { WorkerRef } from '../../ports.ts';

/** Deadlines use a clock that cannot be set; wall time is only for what people read or request. */
export interface Time {
  /** Epoch milliseconds. */
  readonly wall: number;
  /** Milliseconds from an arbitrary start; never goes back. */
  readonly monotonic: number;
}

export type { OperatorHold, ScheduledHold };

/** Why the gates of this host are shut: for the whole site, or because this host is not part of the site now. */
export interface SiteHold {
  /** `cluster`: this host does not count itself as a member until it has heard from the others. */
  readonly kind: Run['kind'] | 'operator' | 'cluster';
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly since: number;
  /** What operators hold all hosts for, also while a run has the gates. */
  readonly operator: OperatorHold | null;
  /** The site's pause, in the site's own count; null if this host does not know one. */
  readonly epoch: number | null;
  /** The run that has the right to run, on whichever host. */
  readonly run: string | null;
}

/** What the other hosts must agree to before a run goes on. */
export type Question = 'claim' | 'drain' | 'begin' | 'end';

export const stageMoves = {
  claimed: ['preparing', 'draining'],
  preparing: ['draining', 'running'],
  draining: ['running'],
  running: ['ending'],
  /** The run has passed its deadline or was cancelled: its work is being stopped. */
  ending: [],
} as const satisfies Record<string, readonly string[]>;
export type Stage = keyof typeof stageMoves;

export const phaseMoves = {
  serving: ['draining'],
  draining: ['quiesced', 'serving', 'draining'],
  quiesced: ['serving', 'draining'],
} as const satisfies Record<Phase, readonly Phase[]>;

/** The run that has the right to run. */
export interface Run {
  readonly id: string;
  readonly kind: RunKind;
  readonly stage: Stage;
  /** The worker whose death ends the run; null once a sync has been handed to the primary, and for a command. */
  readonly owner: WorkerRef | null;
  /** The pause of this run; null before `draining`, and for a run that needs none. */
  readonly epoch: number | null;
  /** When its hold started. */
  readonly held: Time | null;
  /**
   * How long it may be at work, ms, if it has its own limit; null: the general one. For a claimed sync: how long its
   * worker may process the items of the feed.
   */
  readonly timeout: number | null;
  /** Why it is `ending`. */
  readonly endsWith: ErrorCode | null;
  /** An earlier primary left it unfinished, so the collection may be half-mirrored: only `finished` ends it. */
  readonly recovered: boolean;
  /** Only for a run of kind `exec`. */
  readonly exec: ExecTerms | null;
  /** What the other hosts have not agreed to yet. */
  readonly asks: Question | null;
  /** The site's epoch of its pause, which lets the fence distinguish hosts; null without other hosts. */
  readonly fence: number | null;
}

/** The wishes of the caller who runs a command while the cluster is quiesced. */
export interface ExecTerms {
  readonly reason: string | null;
  readonly by: string | null;
  /** How long the drain may take, ms; null: the drain timeout. */
  readonly within: number | null;
  /** If the command fails, or its end is unknown, an operator hold replaces the run's hold. */
  readonly keepOnFailure: boolean;
}

/** The primary's view of a worker's gate: `draining` until the worker has reported for this epoch. */
export type GateView = 'shut' | 'open' | 'draining';

export interface WorkerView extends WorkerRef {
  readonly greeted: boolean;
  readonly gate: GateView;
  /** Mirror runs that may have changed documents and that it may not have heard of, the oldest first. */
  readonly mirrored: readonly string[];
}

export interface State {
  readonly phase: Phase;
  readonly epoch: number;
  readonly operator: OperatorHold | null;
  readonly scheduled: ScheduledHold | null;
  readonly site: SiteHold | null;
  /**
   * The callers for whom alone the operator's hold stands: they wait until the cluster is at rest, and when the last of
   * them gives up, the hold ends. Empty once the cluster is at rest, or once a caller wants the hold unconditionally.
   */
  readonly waiters: ReadonlySet<number>;
  readonly run: Run | null;
  /** Runs that an earlier primary left and that are not started yet, the oldest first. */
  readonly unfinished: readonly string[];
  readonly workers: ReadonlyMap<string, WorkerView>;
  /** Stragglers were cut off and are not gone yet. */
  readonly cutting: boolean;
  readonly stopping: boolean;
  /** Another primary is about to take over: no run begins here. */
  readonly handingOver: boolean;
}

/** Durations in ms. */
export interface Rules {
  readonly drainTimeout: number;
  readonly onDrainTimeout: 'abort' | 'force';
  readonly runTimeout: number;
  /** From the claim to the submission. */
  readonly uploadTimeout: number;
  /** Whether there are other hosts whose `agreed` a run needs. Default false. */
  readonly asksOthers?: boolean;
}

export type Event =
  | { readonly type: 'forked'; readonly worker: WorkerRef }
  | { readonly type: 'hello'; readonly worker: WorkerRef }
  | { readonly type: 'drained'; readonly worker: WorkerRef; readonly epoch: number }
  /** The gate as a heartbeat reports it: repairs the effect of a lost message. */
  | {
      readonly type: 'beat';
      readonly worker: WorkerRef;
      readonly epoch: number;
      readonly gate: GateState;
    }
  | { readonly type: 'gone'; readonly worker: WorkerRef }
  | {
      readonly type: 'claim';
      readonly run: string;
      readonly kind: Run['kind'];
      readonly owner: WorkerRef;
      readonly timeout?: number | undefined;
    }
  /** An operator wants it ended. A run of an earlier primary is cancelled only once it is known what that one wrote. */
  | { readonly type: 'cancel'; readonly run: string }
  | { readonly type: 'exec'; readonly run: string; readonly terms: ExecTerms }
  | { readonly type: 'exec-end'; readonly run: string; readonly error: ErrorCode | null }
  | { readonly type: 'submit'; readonly run: string; readonly owner: WorkerRef }
  | { readonly type: 'prepared'; readonly run: string; readonly needsPause: boolean }
  /** Runs that an earlier primary left unfinished. Comes before any gate opens. */
  | { readonly type: 'recover'; readonly runs: readonly string[] }
  | { readonly type: 'finished'; readonly run: string; readonly error: ErrorCode | null }
  | { readonly type: 'release'; readonly run: string; readonly owner: WorkerRef; readonly error: ErrorCode | null }
  | ({
      readonly type: 'hold';
      /** Who wants it only if the cluster comes to rest in time; null for one who wants it in any case. */
      readonly waiter: number | null;
    } & HoldChange)
  | { readonly type: 'give-up'; readonly waiter: number }
  | { readonly type: 'schedule'; readonly hold: ScheduledHold }
  /** Ends the operator hold, and a scheduled one. */
  | { readonly type: 'unhold' }
  | { readonly type: 'toggle'; readonly reason: string }
  /** What the other hosts want of the gates has changed. `mirrored`: runs elsewhere that this host has not heard of. */
  | { readonly type: 'site'; readonly hold: SiteHold | null; readonly mirrored?: readonly string[] }
  /** The other hosts agree to the run's question. `fence`: with `begin`, the site's epoch of its pause. */
  | {
      readonly type: 'agreed';
      readonly run: string;
      readonly to: Question;
      readonly hold: SiteHold | null;
      readonly fence: number | null;
    }
  /** The other hosts refuse the run's claim. */
  | { readonly type: 'refused'; readonly run: string; readonly code: ErrorCode; readonly holder: string | null }
  /** The other hosts no longer count this host as a member, and so its run is lost. */
  | { readonly type: 'lost'; readonly run: string }
  /** All work of a dropped run has ended. */
  | { readonly type: 'dropped'; readonly run: string }
  | { readonly type: 'stop' }
  /** Another primary is about to take over, or is not after all. */
  | { readonly type: 'hand-over'; readonly begun: boolean }
  | { readonly type: 'timeout'; readonly timer: Timer };

/** A timer that fires late names a pause or a run that has ended, and has no effect. */
export type Timer =
  /** `others`: how long to wait for other hosts, which cut off their own stragglers. */
  | { readonly kind: 'drain' | 'cut' | 'others'; readonly epoch: number }
  | { readonly kind: 'run'; readonly run: string; readonly stage: Stage }
  | { readonly kind: 'operator'; readonly until: number }
  | { readonly kind: 'scheduled'; readonly at: number }
  /** The scheduled hold that started at that time may not be at rest yet. */
  | { readonly kind: 'overdue'; readonly since: number; readonly hold: ScheduledHold };

export type Effect =
  | { readonly type: 'pause' | 'cut'; readonly worker: WorkerRef }
  /** `mirrored`: the runs that the worker must hear of before its gate opens. */
  | { readonly type: 'resume' | 'inform'; readonly worker: WorkerRef; readonly mirrored: readonly string[] }
  | { readonly type: 'kill'; readonly worker: WorkerRef; readonly why: string }
  | { readonly type: 'grant'; readonly run: string }
  | { readonly type: 'refuse'; readonly run: string; readonly code: ErrorCode; readonly holder: string | null }
  /** The feed belongs to the primary now: prepare it. */
  | { readonly type: 'prepare'; readonly run: string }
  /** The cluster is quiesced, or need not be: do the work. */
  | { readonly type: 'begin'; readonly run: string; readonly epoch: number }
  /** Stop the work of a run that the primary does itself; `finished` follows. */
  | { readonly type: 'cancel'; readonly run: string }
  /** Stop the work of a run at once and leave it as a crash would; `dropped` follows. */
  | { readonly type: 'drop'; readonly run: string }
  | { readonly type: 'ended'; readonly run: string; readonly error: ErrorCode | null }
  /** `at`: on the wall clock if it starts or ends an operator hold, otherwise on the monotonic clock. */
  | { readonly type: 'timer'; readonly timer: Timer; readonly at: number }
  /** What happened to a scheduled hold: no caller waits for it, so it is logged. */
  | { readonly type: 'announce'; readonly what: 'begun' | 'missed' | 'overdue'; readonly hold: ScheduledHold }
  /** The operator hold or the scheduled one has changed: make it durable. */
  | { readonly type: 'persist' }
  | { readonly type: 'moved'; readonly from: Phase; readonly to: Phase; readonly epoch: number };

/** No request of the app is in flight, and no run holds the gates. */
export function atRest({ phase, run }: Pick<State, 'phase' | 'run'>): boolean {
  return phase === 'quiesced' && !holds(run);
}

/** Whether the hold stands for a run, whose drain has a time limit. */
export function isForRun(hold: SiteHold | null): boolean {
  return hold !== null && hold.kind !== 'operator' && hold.kind !== 'cluster';
}

/** Whether the run holds the gates shut. */
export function holds(run: Run | null): boolean {
  return run !== null && run.epoch !== null;
}
