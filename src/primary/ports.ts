/**
 * The seams of the primary: what its parts know of each other.
 *
 *   supervisor ── WorkerEvents ──▶ coordinator      forks, deaths and messages of workers
 *   supervisor ◀── WorkerPort ──── coordinator      send to a worker, kill a worker
 *   admin server ── Operations ──▶ primary          what an operator can see and do
 */
import type { FromWorker, ToWorker } from '../protocol/messages.ts';
import type { ClusterStatus, ExitCause, RunRecord, SettingChange } from '../protocol/runs.ts';
import type { Wait } from './maintenance/operator-holds.ts';
import type { ReloadOutcome } from './reload/reloads.ts';

/** One process in a slot. During a reload two incarnations of a slot live at once. */
export interface WorkerRef {
  readonly slot: number;
  readonly incarnation: number;
}

export interface WorkerExit {
  readonly cause: ExitCause;
  readonly code: number | null;
  readonly signal: string | null;
  /** What the worker said before it went, where it said something. */
  readonly reason?: string;
}

export interface WorkerEvents {
  /** Right after the fork: the worker starts shut. */
  forked(ref: WorkerRef): void;
  /** A valid message; slot and incarnation are those of the process it came from. */
  message(ref: WorkerRef, message: FromWorker): void;
  /** The process has ended; nothing comes from it any more. */
  gone(ref: WorkerRef, exit: WorkerExit): void;
  /** A slot waits before its next fork; `looping`: its workers keep failing. */
  backoff?(slot: number, looping: boolean): void;
}

/** A message without its envelope, which the supervisor adds. */
export type OutgoingMessage = ToWorker extends infer M
  ? M extends ToWorker
    ? Omit<M, 'quiesce' | 'slot' | 'incarnation'>
    : never
  : never;

export interface WorkerPort {
  /** False where the worker is gone or its channel is closed. */
  send(ref: WorkerRef, message: OutgoingMessage): boolean;
  /** While pinned, only the end of the cluster stops a worker: its exclusive run is going on. */
  pin(ref: WorkerRef, pinned: boolean): void;
  /** SIGKILL; `gone` follows. */
  kill(ref: WorkerRef, why: string): void;
}

/** Who asks, where that is known. */
export interface Order {
  readonly by?: string;
}

export interface MaintenanceChange extends Order {
  readonly on: boolean;
  readonly reason?: string;
  /** It ends by itself after so many ms. */
  readonly forMs?: number;
  /** Only with `on`: whoever has this word passes. */
  readonly secret?: string;
  /** Only with `on`. */
  readonly wait?: Wait;
  /** Only with `on` and without `wait`: it begins then, epoch ms, and `forMs` counts from then. */
  readonly at?: number;
}

/** What an operator, through the control socket or the admin server, can see and do. */
export interface Operations {
  status(): ClusterStatus;
  /** Calls back at each change of what `status` tells, at most 10 times a second; returns how to stop it. */
  watch(listener: (status: ClusterStatus) => void): () => void;
  /** Where the app listens, such as `http://127.0.0.1:3000`. */
  urls(): string[];
  /** The operator hold. Resolves when it is durable and, with `wait`, the cluster at rest. */
  maintenance(change: MaintenanceChange): Promise<ClusterStatus>;
  /**
   * Resolves, with what the configuration changes, when every worker has been replaced and it is in force. Rejects with
   * `bad-config`, or with `boot-failed` where a replacement did not boot: then nothing has changed.
   */
  reload(order?: Order): Promise<ReloadOutcome>;
  /** What a reload would change now. */
  previewReload(): Promise<SettingChange[]>;
  scale(order: Order & ({ instances: number } | { step: number })): Promise<void>;
  /** `now`: without waiting for what is in flight. Resolves when it has begun. */
  stop(options: Order & { now: boolean }): void;
  runs(limit: number): RunRecord[];
  run(id: string): RunRecord | undefined;
  /** Resolves when it has ended, or has to be rolled forward. */
  cancel(id: string): Promise<RunRecord>;
  abandon(id: string): Promise<RunRecord>;
}
