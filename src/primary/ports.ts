/**
 * The interfaces between the parts of the primary.
 *
 *   supervisor ── WorkerEvents ──▶ coordinator      forks, deaths and messages of workers
 *   supervisor ◀── WorkerPort ──── coordinator      send to a worker, kill a worker
 *   admin server ── Operations ──▶ primary          what an operator can see and do
 */
import type { FromWorker, ToWorker } from '../protocol/workers/messages.ts';
import type { ClusterStatus, ExitCause, RunRecord } from '../protocol/api/runs.ts';
import type { Wait } from './maintenance/holds/operator-holds.ts';
import type { ReloadOutcome } from './reload/reloads.ts';

/** One process in a slot. During a reload a slot can have two live incarnations. */
export interface WorkerRef {
  readonly slot: number;
  readonly incarnation: number;
}

export interface WorkerExit {
  readonly cause: ExitCause;
  readonly code: number | null;
  readonly signal: string | null;
  /** What the worker reported before it ended, if it did. */
  readonly reason?: string;
}

export interface WorkerEvents {
  /** Right after the fork. The worker starts with its gate shut. */
  forked(ref: WorkerRef): void;
  /** A valid message. Slot and incarnation are checked against the process that sent it. */
  message(ref: WorkerRef, message: FromWorker): void;
  /** The process has ended; no message of it follows. */
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
  /** False if the worker is gone or its channel is closed. */
  send(ref: WorkerRef, message: OutgoingMessage): boolean;
  /** A pinned worker has an exclusive run in progress: only the end of the cluster stops it. */
  pin(ref: WorkerRef, pinned: boolean): void;
  /** SIGKILL; `gone` follows. */
  kill(ref: WorkerRef, why: string): void;
}

/** Who requested it, if known. */
export interface Order {
  readonly by?: string;
}

export interface MaintenanceChange extends Order {
  readonly on: boolean;
  /** This host alone, where there are several. */
  readonly here?: boolean;
  readonly reason?: string;
  /** The hold ends by itself after this many ms. */
  readonly forMs?: number;
  /** Only with `on`: requests with this word pass. */
  readonly secret?: string;
  /** Only with `on`. */
  readonly wait?: Wait;
  /** Only with `on` and without `wait`: the hold starts at this time, epoch ms, and `forMs` counts from it. */
  readonly at?: number;
}

/** What an operator, through the control socket or the admin server, can see and do. */
export interface Operations {
  status(): ClusterStatus;
  /** Calls `listener` at each change of `status`, at most 10 times a second. Returns a function that stops it. */
  watch(listener: (status: ClusterStatus) => void): () => void;
  /** The addresses of the app, for example `http://127.0.0.1:3000`. */
  urls(): string[];
  /** Changes the operator hold. Resolves when it is durable and, with `wait`, the cluster is at rest. */
  maintenance(change: MaintenanceChange): Promise<ClusterStatus>;
  /**
   * Resolves with the changes of the configuration when every worker is replaced and the configuration is in force.
   * Rejects with `bad-config`, or with `boot-failed` if a replacement did not boot: then nothing has changed. `all`: every host of the cluster, one
   * after another, up to the first that fails.
   */
  reload(order?: Order & { readonly all?: boolean }): Promise<ReloadOutcome>;
  /** What a reload would change now, and leave out. */
  previewReload(): Promise<ReloadOutcome>;
  scale(order: Order & ({ instances: number } | { step: number })): Promise<void>;
  /** `now`: does not wait for requests in flight. Returns when the stop has started. */
  stop(options: Order & { now: boolean }): void;
  runs(limit: number): RunRecord[];
  run(id: string): RunRecord | undefined;
  /** Resolves when the run has ended, or must be rolled forward. */
  cancel(id: string, order?: Order): Promise<RunRecord>;
  abandon(id: string, order?: Order): Promise<RunRecord>;
  /** Takes a dead host out of the cluster. */
  removeHost(name: string, order: Order): Promise<void>;
}
