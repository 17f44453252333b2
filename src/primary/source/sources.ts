/**
 * `sync.source`: fetches feeds on a schedule, and gives each to a worker as if it had been sent by PUT.
 *
 * Of a source: waiting → (time) → fetching → unchanged, or delivered → run → waiting. A failure that may pass is tried
 * again until the next time of the schedule; a time that comes while the source is at work is left out.
 */
import { randomUUID } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Cron } from 'croner';
import type { FeedSourceSettings } from '../../config/values/source-members.ts';
import { QuiesceError, toQuiesceError } from '../../errors.ts';
import type { Known } from '../../fetch/fetch-feed.ts';
import { shownAddress } from '../../fetch/web-get.ts';
import { isEnded } from '../../protocol/api/is-ended.ts';
import type { RunRecord } from '../../protocol/api/runs.ts';
import type { SourceStatus } from '../../protocol/api/source-status.ts';
import { spoolPrefix } from '../../protocol/feed/spool-prefix.ts';
import { syncDirectory } from '../../sync-directory.ts';
import { mustHold, removeHeld } from '../data-dir/durable.ts';
import type { WorkerRef } from '../ports.ts';
import { Changes } from '../maintenance/changes.ts';
import { InTurn } from '../in-turn.ts';
import { DueTimes, type Ticks } from '../ticks.ts';
import { isOf } from '../runs/history/of-mirror.ts';
import { keyOf } from '../worker-ref.ts';
import type { FeedOrder } from './deliveries.ts';
import type { Fetched } from './fetch.ts';
import type { FetchJob } from './messages.ts';
import { nextAttempt } from './retries.ts';
import { nameOf } from './name-of.ts';
import { SourceProgress } from './source-status.ts';

export interface SourcesDeps {
  readonly workDir: string;
  readonly spoolDir: string;
  readonly maxBytes: () => number;
  readonly fetch: (job: FetchJob, signal: AbortSignal) => Promise<Fetched>;
  /** The worker that is to take a feed of this source; null if none can. */
  readonly worker: (source: FeedSourceSettings) => WorkerRef | null;
  readonly deliver: (id: string, worker: WorkerRef, order: FeedOrder) => Promise<string>;
  readonly runs: {
    get(id: string): RunRecord | undefined;
    find(isLike: (run: RunRecord) => boolean): RunRecord | undefined;
    /** Of this host and of others. */
    onAny(listener: (run: RunRecord) => void): void;
    confirm(id: string): Promise<void>;
  };
  /** Whether a run has this feed: a worker may die right after it has handed it over. */
  readonly isTaken: (path: string) => boolean;
  /** Why no run can start even when the one that goes on has ended, such as a hold; null if one can. */
  readonly obstacle: () => string | null;
  /** Resolves when no run goes on. */
  readonly noRun: (signal: AbortSignal) => Promise<void>;
  /** Which host fetches. */
  readonly ticks: Ticks;
  readonly onFailure: (source: string, error: QuiesceError) => void;
  /** A pino logger fits. */
  readonly log: Record<'info' | 'warn' | 'error', (fields: object, message: string) => void>;
  readonly random?: () => number;
  /** Waits for so many ms; rejects where it is aborted. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

const inTime = (ms: number, signal: AbortSignal): Promise<unknown> => delay(ms, undefined, { signal, ref: false });

type Found = Extract<Fetched, { type: 'fetched' }>;

interface Source {
  readonly settings: FeedSourceSettings;
  readonly shown: string;
  readonly cron: Cron;
  readonly times: DueTimes;
  readonly stop: AbortController;
  readonly progress: SourceProgress;
  /** What the server said of the feed that `run` has mirrored, and the worker that took it. */
  last: { readonly known: Known; readonly run: string; readonly worker: WorkerRef } | null;
}

export class FeedSources {
  readonly #deps: SourcesDeps;
  #sources: Source[] = [];
  readonly #given = new Map<'configuration' | 'mirrors', readonly FeedSourceSettings[]>();
  #isClosed = false;
  readonly #changes = new Changes();
  /** Of two sources with one schedule each gets its run. */
  readonly #deliveries = new InTurn();
  readonly #ends = new Map<string, (run: RunRecord) => void>();

  constructor(deps: SourcesDeps) {
    this.#deps = deps;
    deps.runs.onAny((run) => {
      for (const source of this.#sources) this.#forgetIfNewer(source, run);
      if (isEnded(run.state)) this.#ends.get(run.id)?.(run);
    });
  }

  /** From now on these of the configuration, or of the app's mirrors. One that stays as it is goes on with what it is doing. */
  use(list: readonly FeedSourceSettings[], from: 'configuration' | 'mirrors'): void {
    if (this.#isClosed) return;
    this.#given.set(from, list);
    const settings = [...this.#given.values()].flat();
    const stay = this.#sources.filter((source) => settings.some((one) => isDeepStrictEqual(one, source.settings)));
    for (const source of this.#sources) if (!stay.includes(source)) stop(source);
    this.#sources = settings.map(
      (one) => stay.find((source) => isDeepStrictEqual(one, source.settings)) ?? this.#start(one),
    );
    this.#changes.tell();
  }

  status(): SourceStatus[] {
    return this.#sources.map(({ shown, settings, cron, progress }) => progress.status(shown, settings, cron));
  }

  /** Returns a function that removes the listener. */
  onChange(listener: () => void): () => void {
    return this.#changes.onChange(listener);
  }

  close(): void {
    this.#isClosed = true;
    for (const source of this.#sources) stop(source);
    this.#sources = [];
  }

  #start(settings: FeedSourceSettings): Source {
    const { cron, timezone } = settings;
    const options = { protect: true, unref: true, ...(timezone === null ? {} : { timezone }) };
    const source: Source = {
      settings,
      shown: shownAddress(settings.url),
      cron: new Cron(cron, options, () => this.#atItsTime(source)),
      times: new DueTimes(this.#deps.ticks, nameOf(settings)),
      stop: new AbortController(),
      progress: new SourceProgress(() => this.#changes.tell()),
      last: null,
    };
    return source;
  }

  /** Never rejects. */
  async #atItsTime(source: Source): Promise<void> {
    const { log, random = Math.random, wait = inTime, onFailure } = this.#deps;
    const { settings, shown, progress, stop: stopped } = source;
    const { signal } = stopped;
    try {
      if (!(await this.#isOurs(source))) return;
      await wait(random() * settings.jitter, signal);
      for (let failures = 1; ; failures++) {
        try {
          progress.fetching();
          return progress.done(await this.#fetch(source));
        } catch (thrown) {
          if (signal.aborted) return;
          const error = toQuiesceError(thrown, 'fetch-failed');
          const pause = nextAttempt(error.code, failures, random());
          if (pause === null || pause >= (source.cron.msToNext() ?? Infinity)) {
            progress.failed(error);
            log.error({ code: error.code, source: shown }, `the feed of ${shown} was not mirrored: ${error.message}`);
            return onFailure(shown, error);
          }
          progress.retrying(error, pause);
          log.warn(
            { code: error.code, source: shown, wait: pause },
            `${error.message} It is tried again in ${pause} ms.`,
          );
          await wait(pause, signal);
        }
      }
    } catch {
      // Stopped while it waited.
    }
  }

  /** Of the hosts that have this source. */
  async #isOurs(source: Source): Promise<boolean> {
    const { log } = this.#deps;
    const { shown, cron, times, stop: stopped } = source;
    const isOurs = await times.winLast(cron, stopped.signal).catch((error: unknown) => {
      if (stopped.signal.aborted) return false;
      const { code, message } = toQuiesceError(error);
      log.error({ code, source: shown }, `the feed of ${shown} is not fetched this time: ${message}`);
      return false;
    });
    // Another host mirrors it, so what the server said here is not what the collection holds.
    if (!isOurs) source.last = null;
    return isOurs;
  }

  /**
   * Resolves with the run that has mirrored it; null if it has not changed.
   * @throws QuiesceError why it is not mirrored
   */
  async #fetch(source: Source): Promise<string | null> {
    const { workDir, maxBytes, obstacle, isTaken, runs, log } = this.#deps;
    const { settings, shown, stop: stopped } = source;
    this.#requireWay(obstacle());
    const target = join(workDir, `${randomUUID()}.fetched`);
    const { url, headers, format, timeout } = settings;
    const job = { url, headers, format, timeout, target, maxBytes: maxBytes(), known: this.#knownOf(source) };
    log.info({ source: shown }, `fetches the feed of ${shown}`);
    const stored = [target];
    try {
      const found = await this.#deps.fetch(job, stopped.signal);
      if (found.type === 'unchanged') {
        // Something was mirrored, or the app was reloaded, while the server was asked: now it is asked for all of it.
        if (this.#knownOf(source) === null) return await this.#fetch(source);
        await runs.confirm(source.last!.run);
        log.info({ source: shown }, `the feed of ${shown} has not changed`);
        return null;
      }
      return await this.#deliveries.run(() => this.#mirror(source, found, stored), stopped.signal);
    } catch (error) {
      for (const file of stored.filter((each) => !isTaken(each)))
        await removeHeld(file).catch((err: unknown) => log.warn({ err, file }, 'a feed cannot be removed'));
      throw error;
    }
  }

  /**
   * Resolves with the run that has mirrored it.
   * @param stored the one file of the feed; the file that it becomes is added
   * @throws QuiesceError why it is not mirrored
   */
  async #mirror(source: Source, { feed, known }: Found, stored: string[]): Promise<string> {
    const { spoolDir, noRun, obstacle, worker: pick, deliver } = this.#deps;
    const { settings, shown, stop: stopped } = source;
    await noRun(stopped.signal);
    this.#requireWay(obstacle()); // time has passed
    const worker = pick(settings);
    if (worker === null) throw new QuiesceError('fetch-failed', 'No worker serves that could take the feed.');
    const id = randomUUID();
    const path = join(spoolDir, `${spoolPrefix(worker)}${id}.feed`);
    stored.push(path);
    mustHold(path);
    await rename(feed.path, path);
    await syncDirectory(dirname(path));
    const { collection, scope } = settings;
    const order: FeedOrder = { feed: { ...feed, path }, source: shown, collection };
    const run = await deliver(id, worker, scope === undefined ? order : { ...order, scope });
    const ended = await this.#endOf(run);
    if (ended.state !== 'succeeded')
      throw ended.error === undefined
        ? new QuiesceError('run-failed', `The run ${run} did not succeed.`)
        : QuiesceError.fromProblem(ended.error as Parameters<typeof QuiesceError.fromProblem>[0]);
    source.last = { known, run, worker };
    return run;
  }

  #requireWay(obstacle: string | null): void {
    if (obstacle !== null) throw new QuiesceError('paused', `The feed is not fetched now: ${obstacle}.`);
  }

  /**
   * Null where anything else has been mirrored since, or a command had the site for itself, which may have restored a
   * dump: then the collection may hold something else. Null as well where another worker would take the feed: its
   * `mirror()` may make something else of it.
   */
  #knownOf({ last, settings }: Source): Known | null {
    const { runs, worker } = this.#deps;
    const taker = worker(settings);
    if (last === null || taker === null || keyOf(taker) !== keyOf(last.worker)) return null;
    const own = runs.get(last.run);
    const newest = own && runs.find((run) => mayChange(own, run));
    return newest?.id === last.run ? last.known : null;
  }

  /**
   * In the order in which runs are heard of. Ids of one host are in that order, but another host with a slower clock may
   * have made its id before it had heard of `source.last`.
   */
  #forgetIfNewer(source: Source, run: RunRecord): void {
    const own = source.last === null ? undefined : this.#deps.runs.get(source.last.run);
    if (own !== undefined && own.id !== run.id && mayChange(own, run)) source.last = null;
  }

  #endOf(id: string): Promise<RunRecord> {
    return new Promise((resolve) => {
      const done = (run: RunRecord): void => {
        this.#ends.delete(id);
        resolve(run);
      };
      this.#ends.set(id, done);
      const now = this.#deps.runs.get(id);
      if (now !== undefined && isEnded(now.state)) done(now);
    });
  }
}

/** Whether `other` may have changed what `own` has mirrored. */
function mayChange(own: RunRecord, other: RunRecord): boolean {
  return other.kind === 'exec' || isOf(own)(other);
}

function stop({ cron, stop: stopped }: Source): void {
  cron.stop();
  stopped.abort(new QuiesceError('stopping', 'The source is fetched no longer.'));
}
