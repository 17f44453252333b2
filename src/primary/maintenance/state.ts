/**
 * The maintenance state of a cluster: what it is, what may happen to it, and what follows.
 *
 * phase   serving → draining → quiesced → serving; also draining → serving (the reason went away), and
 *         quiesced → draining and draining → draining (a run that begins while the gates are shut gets a pause of its own)
 * run     claimed → preparing → draining → running → ending → (none), or the end from any stage
 * worker  shut (as forked) → open → draining → shut …
 *
 * The gates are shut while a hold stands: the operator's, that of a run from `draining` on, that of the runs which an
 * earlier primary left unfinished, of which the next one begins as soon as the one before it has ended, or the site's: what
 * other hosts want. A run goes on to its next stage once they agree; where there are none, in the same step.
 */
import type { ErrorCode } from '../../errors.ts';
import type { Phase } from '../../protocol/runs.ts';
import type { GateState, RunKind } from '../../protocol/words.ts';
import type { Pass } from '../../protocol/pass.ts';
import type { WorkerRef } from '../ports.ts';

/** Deadlines go by a clock that nobody can set; only what a person reads or has asked for is wall time. */
export interface Time {
  /** Epoch milliseconds. */
  readonly wall: number;
  /** Milliseconds, from anywhere; never goes back. */
  readonly monotonic: number;
}

export interface OperatorHold {
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly since: number;
  /** When it ends by itself. */
  readonly until: number | null;
  /** Who asked for it; null where that is not known, as with a signal. */
  readonly by: string | null;
  /** By what somebody passes it. */
  readonly pass?: Pass | undefined;
}

/** An operator hold that is to begin. */
export interface ScheduledHold {
  /** Epoch milliseconds. */
  readonly at: number;
  /** How long it stands from then on, ms; null: until it is turned off. */
  readonly lasts: number | null;
  readonly reason: string | null;
  readonly by: string | null;
  readonly pass?: Pass | undefined;
}

/** Why the gates of this host are shut for the sake of the whole site, or because it is no part of it now. */
export interface SiteHold {
  /** `cluster`: this host counts itself out, until it has heard from the others. */
  readonly kind: Run['kind'] | 'operator' | 'cluster';
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly since: number;
  readonly until: number | null;
  readonly by: string | null;
  /** The site's pause, counted by the site; null where the host does not know one. */
  readonly epoch: number | null;
  /** The run that has the right to run, whichever host's it is. */
  readonly run: string | null;
}

/** What a run has to hear from the other hosts before it goes on. */
export type Question = 'claim' | 'drain' | 'begin' | 'end';

export const stageMoves = {
  claimed: ['preparing', 'draining'],
  preparing: ['draining', 'running'],
  draining: ['running'],
  running: ['ending'],
  /** Past its deadline, or cancelled: what it runs in is being stopped. */
  ending: [],
} as const satisfies Record<string, readonly string[]>;
export type Stage = keyof typeof stageMoves;

export const phaseMoves = {
  serving: ['draining'],
  draining: ['quiesced', 'serving', 'draining'],
  quiesced: ['serving', 'draining'],
} as const satisfies Record<Phase, readonly Phase[]>;

/** The one that has the right to run. */
export interface Run {
  readonly id: string;
  readonly kind: RunKind;
  readonly stage: Stage;
  /** The worker whose death ends the run; null once a sync has been handed to the primary, and for a command. */
  readonly owner: WorkerRef | null;
  /** The pause of this run; null before `draining`, and for a run that needs none. */
  readonly epoch: number | null;
  /** When its hold began. */
  readonly held: Time | null;
  /**
   * How long it may be at work, ms, where that is its own affair; null: as long as any. Of a sync that is claimed: how long
   * the items of its feed may be worked on.
   */
  readonly timeout: number | null;
  /** Why it is `ending`. */
  readonly endsWith: ErrorCode | null;
  /** An earlier primary left it unfinished, so the collection may be half-mirrored: it ends by `finished` only. */
  readonly recovered: boolean;
  /** Of a run of kind `exec` only. */
  readonly exec: ExecTerms | null;
  /** What it waits for the other hosts to agree to. */
  readonly asks: Question | null;
  /** The site's epoch of its pause, by which the fence tells hosts apart; null where there is one host. */
  readonly fence: number | null;
}

/** What the one wants who runs a command while the cluster is quiesced. */
export interface ExecTerms {
  readonly reason: string | null;
  readonly by: string | null;
  /** How long the drain may take, ms; null for the drain timeout. */
  readonly within: number | null;
  /** Where the command fails, or nobody can tell how it ended, an operator hold takes the place of the run's. */
  readonly keepOnFailure: boolean;
}

/** What the primary knows of a worker's gate: `draining` until its word for this epoch has come. */
export type GateView = 'shut' | 'open' | 'draining';

export interface WorkerView extends WorkerRef {
  readonly greeted: boolean;
  readonly gate: GateView;
  /** The mirror runs that may have changed documents and of which it may not have heard, the oldest first. */
  readonly mirrored: readonly string[];
}

export interface State {
  readonly phase: Phase;
  readonly epoch: number;
  readonly operator: OperatorHold | null;
  readonly scheduled: ScheduledHold | null;
  readonly site: SiteHold | null;
  /**
   * The callers for whose sake alone the operator's hold stands: they wait until the cluster is at rest, and where the
   * last of them gives up, the hold goes. None, once it has come to rest or somebody wants the hold whatever happens.
   */
  readonly waiters: ReadonlySet<number>;
  readonly run: Run | null;
  /** What an earlier primary left and nobody has begun with, the oldest first. */
  readonly unfinished: readonly string[];
  readonly workers: ReadonlyMap<string, WorkerView>;
  /** Set while stragglers have been cut off and not yet gone. */
  readonly cutting: boolean;
  readonly stopping: boolean;
}

/** Durations in ms. */
export interface Rules {
  readonly drainTimeout: number;
  readonly onDrainTimeout: 'abort' | 'force';
  readonly runTimeout: number;
  /** From the claim to the submission. */
  readonly uploadTimeout: number;
  /** Whether there are other hosts, whose word a run needs: `agreed` brings it. Default false. */
  readonly asksOthers?: boolean;
}

export type Event =
  | { readonly type: 'forked'; readonly worker: WorkerRef }
  | { readonly type: 'hello'; readonly worker: WorkerRef }
  | { readonly type: 'drained'; readonly worker: WorkerRef; readonly epoch: number }
  /** What a heartbeat says of the gate: mends what a lost message left wrong. */
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
  /** An operator wants it ended. Not before it is known what a run of an earlier primary has written. */
  | { readonly type: 'cancel'; readonly run: string }
  | { readonly type: 'exec'; readonly run: string; readonly terms: ExecTerms }
  | { readonly type: 'exec-end'; readonly run: string; readonly error: ErrorCode | null }
  | { readonly type: 'submit'; readonly run: string; readonly owner: WorkerRef }
  | { readonly type: 'prepared'; readonly run: string; readonly needsPause: boolean }
  /** Runs that an earlier primary left unfinished. Before a gate has opened. */
  | { readonly type: 'recover'; readonly runs: readonly string[] }
  | { readonly type: 'finished'; readonly run: string; readonly error: ErrorCode | null }
  | { readonly type: 'release'; readonly run: string; readonly owner: WorkerRef; readonly error: ErrorCode | null }
  /** What it leaves out stays as it is. `lasts` ms from now, at first until it is turned off. */
  | {
      readonly type: 'hold';
      readonly reason: string | null;
      readonly lasts: number | null;
      readonly by: string | null;
      /** Who wants it only if the cluster comes to rest in time; null for one who wants it in any case. */
      readonly waiter: number | null;
      readonly pass?: Pass | undefined;
    }
  | { readonly type: 'give-up'; readonly waiter: number }
  | { readonly type: 'schedule'; readonly hold: ScheduledHold }
  /** Ends the operator hold, and what is scheduled. */
  | { readonly type: 'unhold' }
  | { readonly type: 'toggle'; readonly reason: string }
  /** What the other hosts want of the gates has changed. */
  | { readonly type: 'site'; readonly hold: SiteHold | null }
  /** They agree to what the run asks. `fence`: with `begin`, the site's epoch of its pause. */
  | {
      readonly type: 'agreed';
      readonly run: string;
      readonly to: Question;
      readonly hold: SiteHold | null;
      readonly fence: number | null;
    }
  /** Its claim is refused. */
  | { readonly type: 'refused'; readonly run: string; readonly code: ErrorCode; readonly holder: string | null }
  /** They have counted this host out, and the run with it. */
  | { readonly type: 'lost'; readonly run: string }
  /** Nothing of a run that was dropped is at work any more. */
  | { readonly type: 'dropped'; readonly run: string }
  | { readonly type: 'stop' }
  | { readonly type: 'timeout'; readonly timer: Timer };

/** A timer that goes off late names a pause or a run that is over, and means nothing. */
export type Timer =
  /** `others`: how long other hosts are waited for where they cut their stragglers off as well. */
  | { readonly kind: 'drain' | 'cut' | 'others'; readonly epoch: number }
  | { readonly kind: 'run'; readonly run: string; readonly stage: Stage }
  | { readonly kind: 'operator'; readonly until: number }
  | { readonly kind: 'scheduled'; readonly at: number }
  /** A scheduled hold that began then may not have come to rest. */
  | { readonly kind: 'overdue'; readonly since: number; readonly hold: ScheduledHold };

export type Effect =
  | { readonly type: 'pause' | 'cut'; readonly worker: WorkerRef }
  /** `mirrored`: the runs that it is told of, before its gate opens. */
  | { readonly type: 'resume' | 'inform'; readonly worker: WorkerRef; readonly mirrored: readonly string[] }
  | { readonly type: 'kill'; readonly worker: WorkerRef; readonly why: string }
  | { readonly type: 'grant'; readonly run: string }
  | { readonly type: 'refuse'; readonly run: string; readonly code: ErrorCode; readonly holder: string | null }
  /** The feed is the primary's now: prepare it. */
  | { readonly type: 'prepare'; readonly run: string }
  /** The cluster is quiesced, or need not be: do the work. */
  | { readonly type: 'begin'; readonly run: string; readonly epoch: number }
  /** Stop the work of a run that the primary does itself; `finished` follows. */
  | { readonly type: 'cancel'; readonly run: string }
  /** Stop the work of a run at once and leave it as a crash would; `dropped` follows. */
  | { readonly type: 'drop'; readonly run: string }
  | { readonly type: 'ended'; readonly run: string; readonly error: ErrorCode | null }
  /** `at`: by the wall clock where it begins or ends an operator hold, else by the monotonic one. */
  | { readonly type: 'timer'; readonly timer: Timer; readonly at: number }
  /** What became of a scheduled hold: nobody waits for it, so somebody has to be told. */
  | { readonly type: 'announce'; readonly what: 'begun' | 'missed' | 'overdue'; readonly hold: ScheduledHold }
  /** The operator hold, or what is scheduled, has changed: make it durable. */
  | { readonly type: 'persist' }
  | { readonly type: 'moved'; readonly from: Phase; readonly to: Phase; readonly epoch: number };

export function initialState(
  epoch: number,
  operator: OperatorHold | null,
  site: SiteHold | null = null,
  scheduled: ScheduledHold | null = null,
): State {
  const isFree = operator === null && site === null;
  return {
    phase: isFree ? 'serving' : 'quiesced', // there is no worker yet that could be serving
    epoch: isFree ? epoch : epoch + 1,
    operator,
    scheduled,
    site,
    waiters: new Set(),
    run: null,
    unfinished: [],
    workers: new Map(),
    cutting: false,
    stopping: false,
  };
}

/** No request of the app is at work, and no run either. */
export function atRest({ phase, run }: Pick<State, 'phase' | 'run'>): boolean {
  return phase === 'quiesced' && !holds(run);
}

/** Whether it stands for a run, whose drain has an end. */
export function isForRun(hold: SiteHold | null): boolean {
  return hold !== null && hold.kind !== 'operator' && hold.kind !== 'cluster';
}

/** Whether the run holds the gates shut. */
export function holds(run: Run | null): boolean {
  return run !== null && run.epoch !== null;
}
