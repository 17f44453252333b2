/**
 * Starts and calls the mirror thread for its owner: the primary, or the single process of an app without a cluster.
 *
 * States: idle (no thread) → running → idle again when the thread ends for any reason. If the thread dies, every call
 * in flight is rejected and the next call starts a new thread; the owner keeps running. A thread that is unused for a
 * while is ended: feeds often come once a night, and this frees its memory and connections until the next feed.
 */
import { Worker } from 'node:worker_threads';
import { QuiesceError, toQuiesceError, type ErrorCode, type ProblemExtra } from '../errors.ts';
import { ownFile } from '../own-files.ts';
import { isOutOfMemory } from '../thread-job.ts';
import type { Progress } from '../protocol/api/runs.ts';
import type {
  Call,
  CheckRequest,
  FeedRequest,
  FetchedFeed,
  ForeseeRequest,
  FromThread,
  MirrorJob,
  Past,
  Planned,
  Prepared,
  Reachable,
  Results,
  ToThread,
  Written,
} from './messages.ts';

/** The logger of the handle. A pino logger fits. */
export interface MirrorLog {
  warn(fields: object, message: string): void;
}

export interface MirrorThreadOptions {
  /** The largest heap of the thread, MB. Default 512. */
  readonly memoryLimitMb?: number;
  /** How long the thread is kept without a call or a prepared run, ms. Default 60,000. */
  readonly linger?: number;
  /** Called at most ten times a second for each run. */
  readonly onProgress: (run: string, progress: Progress) => void;
  readonly log: MirrorLog;
}

/** Why a call failed. `dirty`: some writes were made, so the collection may be half-mirrored. */
export class MirrorError extends QuiesceError {
  readonly dirty: boolean;

  constructor(code: ErrorCode, message: string, dirty: boolean, extra: ProblemExtra = {}) {
    super(code, message, { extra });
    this.name = 'MirrorError';
    this.dirty = dirty;
  }
}

interface Pending {
  readonly op: Call['op'];
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: MirrorError) => void;
}

/** The thread's objects are short-lived, and V8 would keep up to 48 MB of them. A smaller limit makes it no slower. */
const youngMb = 12;

/** Every method rejects with a {@link MirrorError}. */
export class MirrorThread {
  readonly #options: MirrorThreadOptions;
  #worker: Worker | null = null;
  readonly #pending = new Map<number, Pending>();
  /** Runs that the thread keeps between two calls. */
  readonly #prepared = new Set<string>();
  #idle: NodeJS.Timeout | undefined;
  #nextId = 1;
  #closed = false;

  constructor(options: MirrorThreadOptions) {
    this.#options = options;
  }

  /** Rejects with `database-unavailable` if the database does not answer within `timeout` ms. */
  check(request: CheckRequest): Promise<Reachable> {
    return this.#call<'check'>({ op: 'check', request });
  }

  /** Resolves with what feeds of this mirror will have to do without, in sentences for the operator; often none. */
  foresee(request: ForeseeRequest): Promise<readonly string[]> {
    return this.#call<'foresee'>({ op: 'foresee', request });
  }

  /** Reads and validates the feed. Rejects if it is refused: `malformed-json`, `invalid-feed`, `payload-too-large` … */
  async prepare(job: MirrorJob): Promise<Prepared> {
    const prepared = await this.#call<'prepare'>({ op: 'prepare', job });
    this.#prepared.add(job.run);
    return prepared;
  }

  /**
   * Counts the changes that `write` would make now. The run stays prepared: end it with {@link MirrorThread.cancel}.
   */
  plan(run: string): Promise<Planned> {
    return this.#call<'plan'>({ op: 'plan', run });
  }

  /** Returns what a former primary did for this run. From now on, no older epoch can write for it. */
  past(job: MirrorJob, epoch: number): Promise<Past> {
    return this.#call<'past'>({ op: 'past', job, epoch });
  }

  /**
   * Makes the collection equal to the feed. Call it only while the cluster is quiesced. Ends the run, even on failure.
   */
  write(run: string, epoch: number): Promise<Written> {
    this.#prepared.delete(run);
    return this.#call<'write'>({ op: 'write', run, epoch });
  }

  /** Cancels a run: its call in flight rejects, and its writes are put back. An unknown run is no error. */
  async cancel(run: string): Promise<void> {
    if (this.#worker) await this.#call<'cancel'>({ op: 'cancel', run });
    this.#prepared.delete(run); // `prepare` may have finished in the meantime
  }

  /** Of a cluster of hosts only. Rejects with `insufficient-storage` where MongoDB has no room. */
  feeds(request: FeedRequest): Promise<FetchedFeed | null> {
    return this.#call<'feeds'>({ op: 'feeds', request });
  }

  /** Ends the thread. Waits at most `grace` ms for a write in progress. */
  async close(grace = 2000): Promise<void> {
    this.#closed = true;
    const worker = this.#worker;
    if (!worker) return;
    const timer = setTimeout(() => void worker.terminate(), grace);
    await this.#call<'close'>({ op: 'close' }).catch(() => null); // the timer may have ended the thread
    clearTimeout(timer);
    await worker.terminate();
  }

  #call<Op extends Call['op']>(call: Extract<Call, { op: Op }>): Promise<Results[Op]> {
    if (this.#closed && call.op !== 'close') {
      return Promise.reject(new MirrorError('stopping', 'The mirror has been closed.', false));
    }
    clearTimeout(this.#idle);
    return new Promise<Results[Op]>((resolve, reject) => {
      const id = this.#nextId++;
      const worker = this.#running();
      this.#pending.set(id, { op: call.op, resolve: resolve as (value: unknown) => void, reject });
      worker.ref(); // a call keeps the process alive, a prepared run alone does not
      worker.postMessage({ id, call } satisfies ToThread);
    });
  }

  #running(): Worker {
    if (this.#worker) return this.#worker;
    const limit = this.#options.memoryLimitMb ?? 512;
    const worker = new Worker(ownFile(new URL('./thread.js', import.meta.url)), {
      name: 'quiesce-mirror',
      resourceLimits: { maxOldGenerationSizeMb: limit, maxYoungGenerationSizeMb: youngMb },
      execArgv: [],
    });
    let cause: unknown;
    worker.on('message', (message: FromThread) => this.#receive(message));
    worker.on('error', (error) => (cause = error));
    worker.on('exit', () => this.#ended(worker, cause, limit));
    this.#worker = worker;
    return worker;
  }

  #receive(message: FromThread): void {
    if (message.type === 'progress') return this.#options.onProgress(message.run, message.progress);
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    this.#pending.delete(message.id);
    if (this.#pending.size === 0) this.#rest();
    if (message.type === 'done') return pending.resolve(message.value);
    const { code, message: detail, extra } = QuiesceError.fromProblem(message.problem);
    pending.reject(new MirrorError(code, detail, message.dirty, extra));
  }

  #rest(): void {
    this.#worker?.unref();
    // The next call clears this timer.
    this.#idle = setTimeout(() => {
      if (this.#prepared.size === 0) this.#retire();
    }, this.#options.linger ?? 60_000).unref();
  }

  /** Ends this thread after it has removed its files. The next call starts another thread. */
  #retire(): void {
    const worker = this.#worker;
    this.#worker = null;
    worker?.once('message', () => void worker.terminate());
    worker?.postMessage({ id: 0, call: { op: 'close' } } satisfies ToThread);
  }

  #ended(worker: Worker, cause: unknown, limit: number): void {
    if (this.#worker !== worker) return; // it had retired
    this.#worker = null;
    this.#prepared.clear();
    const orphans = [...this.#pending.values()];
    this.#pending.clear();
    if (this.#closed) {
      for (const { op, resolve, reject } of orphans) {
        if (op === 'close') resolve(null);
        else reject(new MirrorError('stopping', 'The mirror was closed before the run had ended.', op === 'write'));
      }
      return;
    }
    const error = crashError(cause, limit);
    this.#options.log.warn({ err: cause, calls: orphans.map(({ op }) => op) }, error.message);
    for (const { op, reject } of orphans) reject(new MirrorError(error.code, error.message, op === 'write'));
  }
}

function crashError(cause: unknown, limit: number): QuiesceError {
  if (isOutOfMemory(cause)) {
    return new QuiesceError(
      'run-failed',
      `The mirror thread ran out of its ${limit} MB of memory. Nothing else was harmed; send the feed in smaller items.`,
    );
  }
  return toQuiesceError(cause ?? new Error('The mirror thread ended without a word.'), 'run-failed');
}
