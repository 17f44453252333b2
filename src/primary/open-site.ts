/** A running site, as its program steers it: `Operations` and runs of its own, without the admin interface between. */
import type { Operations, Order } from './ports.ts';
import type { ExecRuns } from './runs/exec-runs.ts';
import { QuiesceError, type Problem } from '../errors.ts';
import type { ClusterStatus, RunRecord, SettingChange } from '../protocol/api/runs.ts';

export interface SiteParts {
  readonly name: string;
  readonly dataDir: string;
  readonly operations: Operations;
  readonly exec: ExecRuns;
}

/** Of {@link Site.hold}. */
export interface HoldOptions extends Order {
  /** Shown to those who are refused. */
  readonly reason?: string;
  /** The hold ends by itself after so many ms. Default: it stays until {@link Site.release}. */
  readonly for?: number;
  /** Whether to wait until no request is in flight. Default true. */
  readonly wait?: boolean;
  /** Wait so long, ms, then take the hold back. Default: `maintenance.drain_timeout`. */
  readonly timeout?: number;
  /** Keep the hold where `timeout` has passed. Default false. */
  readonly keep?: boolean;
}

/** Of {@link Site.exclusive}. */
export interface ExclusiveOptions extends Order {
  /** Shown to those who are refused. */
  readonly reason?: string;
  /** How long requests in flight may take to finish, ms. Default: `maintenance.drain_timeout`. */
  readonly timeout?: number;
  /** Where the work fails, the site stays held by an operator's hold. Default false. */
  readonly keepOnFailure?: boolean;
}

/** The run of an {@link Site.exclusive}. */
export interface ExclusiveRun {
  /** As `quiesce runs` shows it. */
  readonly id: string;
  /** Aborted where somebody ends the run (`quiesce runs cancel`), or it passes a deadline: the gates are open then. */
  readonly signal: AbortSignal;
}

/** The site that `run` has started. Its errors are QuiesceErrors, to be told apart by `code`. */
export interface Site {
  /** The app's. */
  readonly name: string;
  /** Where lock, control socket, journal and log are. */
  readonly dataDir: string;
  /** As `quiesce status --json` tells. */
  status(): ClusterStatus;
  /** Where the app listens, such as `http://127.0.0.1:3000`. */
  urls(): string[];
  /** Calls `listener` at each change of the status, at most 10 times a second; returns how to stop it. */
  watch(listener: (status: ClusterStatus) => void): () => void;
  /**
   * The operator's hold, as `quiesce maintenance on`: shuts the gates, and resolves when no request is in flight. It
   * survives a restart. A second call changes the hold there is.
   *
   * @throws QuiesceError `drain-timeout`, naming the requests; the hold is taken back then, but for `keep`
   */
  hold(options?: HoldOptions): Promise<ClusterStatus>;
  /** Opens the gates, unless a run keeps them shut. Nothing happens where there is no hold. */
  release(order?: Order): Promise<ClusterStatus>;
  /**
   * Runs `work` while no request is at work in any worker, and no other run. The gates open when its promise has
   * settled. Resolves with what `work` resolves with, and rejects with what it throws.
   *
   * @throws QuiesceError `run-in-progress`, `drain-timeout` or `stopping`: then `work` was not called; `run-cancelled` where
   * somebody has ended the run while `work` went on
   */
  exclusive<T>(work: (run: ExclusiveRun) => Promise<T> | T, options?: ExclusiveOptions): Promise<T>;
  /**
   * Replaces every worker without a failed request, as `quiesce reload`. Resolves when the new configuration is in
   * force, with what has changed: nothing for a site that was started from an app and not from a file.
   *
   * @throws QuiesceError `bad-config`, `boot-failed`: then everything is as it was
   */
  reload(order?: Order): Promise<readonly SettingChange[]>;
  /** More or fewer workers, 1 to 1024; resolves when they serve, or are gone. */
  scale(instances: number, order?: Order): Promise<void>;
  /** The newest first; `limit`: at most so many, default 20. */
  runs(limit?: number): RunRecord[];
  /**
   * Stops the site once what is in flight is finished; `now`: without waiting. Resolves when no worker is left and
   * the data directory is free, also if it has stopped already. A call while it stops resolves with it; with `now` it stops
   * at once.
   */
  stop(options?: Order & { readonly now?: boolean }): Promise<void>;
  /** Resolves when the site has stopped, whoever stopped it; rejects with what has ended it, such as `lock-lost`. */
  readonly ended: Promise<void>;
}

export class OpenSite implements Site {
  readonly name: string;
  readonly dataDir: string;
  readonly ended: Promise<void>;
  readonly #operations: Operations;
  readonly #exec: ExecRuns;
  #isStopping = false;
  #end!: { resolve: () => void; reject: (error: unknown) => void };

  constructor({ name, dataDir, operations, exec }: SiteParts) {
    this.name = name;
    this.dataDir = dataDir;
    this.#operations = operations;
    this.#exec = exec;
    this.ended = new Promise((resolve, reject) => (this.#end = { resolve, reject }));
    this.ended.catch(() => undefined); // a program need not wait for it
  }

  /** @param error what has ended it, where nobody asked for that */
  hasEnded(error: unknown): void {
    if (error === null) this.#end.resolve();
    else this.#end.reject(error);
  }

  status(): ClusterStatus {
    return this.#operations.status();
  }

  urls(): string[] {
    return this.#operations.urls();
  }

  watch(listener: (status: ClusterStatus) => void): () => void {
    return this.#operations.watch(listener);
  }

  hold({ wait = true, keep = false, timeout, for: forMs, ...order }: HoldOptions = {}): Promise<ClusterStatus> {
    const given = { on: true, ...order, ...(forMs === undefined ? {} : { forMs }) };
    const waiting = { keep, ...(timeout === undefined ? {} : { timeout }) };
    return this.#operations.maintenance(wait ? { ...given, wait: waiting } : given);
  }

  release(order: Order = {}): Promise<ClusterStatus> {
    return this.#operations.maintenance({ on: false, ...order });
  }

  async exclusive<T>(work: (run: ExclusiveRun) => Promise<T> | T, options: ExclusiveOptions = {}): Promise<T> {
    const { reason, by, timeout, keepOnFailure = false } = options;
    const terms = { reason: reason ?? null, by: by ?? null, within: timeout ?? null, keepOnFailure };
    const id = await this.#exec.begin(terms, new AbortController().signal);
    const over = new AbortController();
    this.#exec.onEnd(id, () => over.abort());
    let result: T;
    try {
      result = await work({ id, signal: over.signal });
    } catch (error) {
      await this.#exec.end(id, { threw: error instanceof Error ? error.message : String(error) });
      throw error;
    }
    const { run } = await this.#exec.end(id, { code: 0 });
    if (run.error !== undefined) throw QuiesceError.fromProblem(run.error as Problem);
    return result;
  }

  async reload(order: Order = {}): Promise<readonly SettingChange[]> {
    return (await this.#operations.reload(order)).changes;
  }

  scale(instances: number, order: Order = {}): Promise<void> {
    return this.#operations.scale({ instances, ...order });
  }

  runs(limit = 20): RunRecord[] {
    return this.#operations.runs(limit);
  }

  stop({ now = false, ...order }: Order & { readonly now?: boolean } = {}): Promise<void> {
    // A second stop means `at once`, and two calls of a program do not.
    if (!this.#isStopping || now) this.#operations.stop({ now, ...order });
    this.#isStopping = true;
    return this.ended;
  }
}
