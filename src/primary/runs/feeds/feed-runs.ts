/**
 * The runs that the primary does itself: accepted feeds.
 *
 * accepted ──prepare──▶ prepared ──(cluster quiesced)──▶ written
 *                                        └─(failed half-way)─▶ rolling forward ⟲ until it is whole, or abandoned
 *
 * A feed is in the journal before it is acknowledged, and before the pause the journal records that writing starts.
 */
import type { Logger } from 'pino';
import type { AppConfig } from '../../../config.ts';
import { QuiesceError, toQuiesceError } from '../../../errors.ts';
import type { MirrorThread } from '../../../mirror/handle.ts';
import type { MirrorJob } from '../../../mirror/messages.ts';
import type { DryRunReport } from '../../../protocol/workers/messages.ts';
import type { CompleteMirrorOptions, SpooledFeed } from '../../../protocol/workers/mirror-job.ts';
import type { Progress, Report } from '../../../protocol/api/runs.ts';
import { removeHeld } from '../../data-dir/durable.ts';
import { DryRuns } from './dry-runs.ts';
import { RunHooks } from './hooks.ts';
import { KeptFeeds } from '../recovery/kept-feeds.ts';
import type { Journal, JournalEntry } from '../recovery/journal.ts';
import { MirroredRuns, outcomeOf } from './mirrored.ts';
import type { Stage } from '../../maintenance/machine/state.ts';
import type { WorkerRef } from '../../ports.ts';
import { removeUploads } from './uploads.ts';
import { MirrorDatabase } from './mirror-database.ts';
import { asAccepted, jobOf } from './mirror-job.ts';
import { reserveEpoch } from '../recovery/fence-epoch.ts';
import { quietly } from '../history/quietly.ts';
import { finishedBefore, isHalfDone, rollForward, tellOfFailure } from '../recovery/roll-forward.ts';
import { RunThread } from './run-thread.ts';
import { noteStage, reportOf, restored, type HookCaller, type Work } from '../history/report.ts';
import type { RunStore } from '../history/history.ts';
import type { SiteLinks } from './site-links.ts';
import { spoolDirOf } from '../../fleet/worker-settings.ts';

export interface SyncRunsDeps {
  readonly config: AppConfig;
  readonly runs: RunStore;
  readonly journal: Journal;
  readonly log: Logger;
  readonly thread: (onProgress: (run: string, progress: Progress) => void) => MirrorThread;
}

export class SyncRuns {
  readonly spoolDir: string;
  readonly #deps: SyncRunsDeps;
  readonly kept: KeptFeeds;
  readonly #work = new Map<string, Work>();
  readonly dryRuns: DryRuns;
  readonly database: MirrorDatabase;
  readonly mirrored: MirroredRuns = new MirroredRuns();
  readonly #thread: RunThread;
  #halted = false;
  readonly hooks: RunHooks;
  #site: SiteLinks = { dispatch: () => {}, refused: () => 0, epoch: () => 0 };

  constructor(deps: SyncRunsDeps) {
    this.#deps = deps;
    this.kept = new KeptFeeds(deps);
    this.#thread = new RunThread(() => deps.thread((run, progress) => deps.runs.update(run, { progress })), deps.log);
    this.spoolDir = spoolDirOf(deps.config.dataDir);
    this.hooks = new RunHooks(() => deps.config.sync.runTimeout);
    this.database = new MirrorDatabase(deps, () => this.mirror());
    this.dryRuns = new DryRuns(deps, () => deps.thread(() => {}));
  }

  connect(site: SiteLinks): void {
    this.#site = site;
  }

  /** Of another host, which is gone: durable here before anything of it is written. */
  async takeOver(entry: JournalEntry): Promise<void> {
    await this.#deps.journal.put(entry);
    this.restore(entry);
  }

  /**
   * Resolves when the feed would survive a power cut.
   * @throws QuiesceError `insufficient-storage`
   */
  async accept(run: string, feed: SpooledFeed, mirror: CompleteMirrorOptions, caller: HookCaller): Promise<void> {
    const { config } = this.#deps;
    Object.assign(this.#of(run), { feed, ...asAccepted(config, mirror), caller });
    await this.#journal(run, 'accepted');
  }

  /** Takes over a run that a former primary left unfinished; `write` starts it again. */
  restore({ run, state, feed, mirror, settings, epoch: reserved }: JournalEntry): void {
    this.#work.set(run, restored(this.#of(run), { feed, mirror, settings, reserved }, state === 'writing'));
  }

  prepare(run: string): void {
    void this.#settle(run, async (work) => {
      const prepared = await this.#prepared(run, work);
      if (work.cancelled) return; // its journal entry is gone, or will be soon
      if (prepared.needsPause) await this.#reserve(run, work, this.#site.epoch() + 1);
      this.#site.dispatch({ type: 'prepared', run, needsPause: prepared.needsPause });
    });
  }

  write(run: string, epoch: number): void {
    void this.#settle(run, async (work) => {
      if (work.begunBefore || !work.prepared) await this.#prepared(run, work);
      await this.#written(run, work, epoch);
      this.#site.dispatch({ type: 'finished', run, error: null });
    });
  }

  /** The current operation rejects; its writes are put back, or the run is rolled forward. */
  cancel(run: string): void {
    this.hooks.cancel(run);
    const work = this.#of(run);
    if (work.rolling !== undefined) return; // a part is written, so only its end makes the collection whole
    work.cancelled = true;
    this.#deps.log.warn({ run }, `run ${run} is cancelled`);
    const hasWritten = work.runningAt !== undefined || work.begunBefore === true;
    if (hasWritten) void this.#thread.cancel(run, this.#deps.config.sync.databaseTimeout);
    else void this.#thread.cancelPreparation(run);
  }

  /** As if this primary had crashed: the current work ends, and `write` starts again from the journal. */
  async drop(run: string): Promise<void> {
    this.hooks.cancel(run);
    const work = this.#of(run);
    this.#work.set(run, restored(work, work));
    work.rolling?.abort();
    await this.#thread.end();
  }

  readonly keeps = (run: string): boolean => this.#work.get(run)?.feed !== undefined;
  /** Whether a run has this feed. */
  readonly isTaken = (path: string): boolean => [...this.#work.values()].some(({ feed }) => feed?.path === path);

  isRollingForward(run: string): boolean {
    return this.#work.get(run)?.rolling !== undefined;
  }

  /** The operator prefers a half-mirrored collection to a site that stays shut. False if it is not rolling forward. */
  abandon(run: string): boolean {
    const work = this.#work.get(run);
    if (work?.rolling === undefined) return false;
    work.abandoned = true;
    work.rolling.abort();
    void this.#thread.end().finally(() => this.#site.dispatch({ type: 'finished', run, error: 'run-failed' }));
    return true;
  }

  isAbandoned(run: string): boolean {
    return this.#work.get(run)?.abandoned === true;
  }

  reached(run: string, stage: Stage, epoch: number | null): void {
    noteStage(this.#of(run), stage, epoch);
  }

  ended(run: string, error: QuiesceError | null): void {
    const work = this.#of(run);
    work.endedAt ??= performance.now();
    this.mirrored.add(run, work, error);
  }

  /** What becomes of the feed of a run that ends now; null if none was accepted. */
  outcome(run: string, hasFailed: boolean): ReturnType<typeof outcomeOf> {
    return outcomeOf(this.#work.get(run) ?? {}, hasFailed);
  }

  countForced(run: string, requests: number): void {
    this.#of(run).forced += requests;
  }

  report(run: string, error: QuiesceError | null, cluster: { workers: number; refused: number }): Report | null {
    return reportOf(this.#of(run), this.#deps.runs.get(run), error, cluster);
  }

  /** The run has ended and is in the history: removes everything else of it. */
  async discard(run: string): Promise<void> {
    const feed = this.#work.get(run)?.feed;
    this.#work.delete(run);
    if (feed === undefined) return;
    // A run that was given up after its preparation still has files and a change stream.
    await this.#thread.forget(run);
    await this.kept.remove(run);
    await quietly(this.#deps.log, removeHeld(feed.path), run);
  }

  /** Removes the uploads that this worker did not hand over. */
  async gone(worker: WorkerRef): Promise<void> {
    this.dryRuns.end(worker);
    await quietly(this.#deps.log, removeUploads(this.spoolDir, worker, this.isTaken), 'uploads');
  }

  dryRun(worker: WorkerRef, feed: SpooledFeed, mirror: CompleteMirrorOptions): Promise<DryRunReport> {
    const over = this.dryRuns.run(worker, feed, mirror);
    return over.finally(() => void quietly(this.#deps.log, removeHeld(feed.path), feed.path));
  }

  /** Another primary may be writing: all work here ends at once, and nothing new starts. */
  halt(): void {
    void this.close(0);
  }

  /** Unfinished runs are left to the next primary. `grace`: for the current write, ms. */
  async close(grace?: number): Promise<void> {
    this.#halted = true;
    for (const { rolling } of this.#work.values()) rolling?.abort();
    await this.#thread.close(grace);
  }

  #of(run: string): Work {
    const known = this.#work.get(run);
    if (known !== undefined) return known;
    const work: Work = { startedAt: performance.now(), refusedBefore: this.#site.refused(), forced: 0 };
    this.#work.set(run, work);
    return work;
  }

  /** The thread of the runs; the first call starts it. */
  mirror(): MirrorThread {
    return this.#thread.get();
  }

  async #prepared(run: string, work: Work): Promise<NonNullable<Work['prepared']>> {
    work.prepared = await this.mirror().prepare(this.#jobOf(run, work));
    if (work.prepared.note) this.#deps.runs.note(run, work.prepared.note);
    return work.prepared;
  }

  async #written(run: string, work: Work, epoch: number): Promise<void> {
    const { needsPause, counts, strategy, scanMs = 0 } = work.prepared!;
    if (!needsPause && counts !== undefined) {
      await this.mirror().cancel(run); // nothing to write: drop what was prepared
      work.written = { counts, strategy, scanMs, writeMs: 0 };
    } else {
      await this.hooks.before(run, work, epoch, () => this.#journal(run, 'writing'));
      work.written = await this.mirror().write(run, await this.#reserve(run, work, epoch));
    }
    if (work.written.note) this.#deps.runs.note(run, work.written.note);
    if (needsPause) await this.hooks.after(run, work, epoch);
  }

  #reserve(run: string, work: Work, epoch: number): Promise<number> {
    return reserveEpoch(work, epoch, () => this.#journal(run, 'writing'), this.#deps.journal);
  }

  #jobOf(run: string, { feed, mirror, settings }: Work): MirrorJob {
    return jobOf(this.#deps.config, run, feed!, mirror!, settings);
  }

  #journal(run: string, state: JournalEntry['state']): Promise<void> {
    return this.kept.put(run, state, this.#of(run));
  }

  /** Does one part of a run, and decides what to do if it fails. */
  async #settle(run: string, part: (work: Work) => Promise<void>): Promise<void> {
    if (this.#halted) return;
    const work = this.#of(run);
    try {
      await part(work);
    } catch (error) {
      if (this.#halted || this.#work.get(run) !== work) return;
      if (!(await this.#isHalfDone(run, work, error))) return this.#failed(run, work, error);
      await this.#rollForward(run, work, error).catch((last: unknown) => this.#failed(run, work, last));
    }
  }

  #isHalfDone(run: string, work: Work, error: unknown): Promise<boolean> {
    return isHalfDone(work, error, () =>
      this.mirror().past(this.#jobOf(run, work), Math.max(work.epoch!, work.reserved ?? 0)),
    );
  }

  /** The gates stay shut: a half-mirrored collection is never served. */
  async #rollForward(run: string, work: Work, first: unknown): Promise<void> {
    work.rolling = new AbortController();
    const whole = await rollForward(first, {
      attempt: async () => {
        if (work.past?.finished) return void (work.written = finishedBefore(work.past.finished));
        await this.#prepared(run, work);
        await this.#written(run, work, work.epoch!);
      },
      isHalfDone: (error) => this.#isHalfDone(run, work, error),
      onFailure: (error, wait) => tellOfFailure(run, error, wait, this.#deps),
      signal: work.rolling.signal,
    });
    if (!whole) return; // abandoned, or the primary stops and the next one goes on
    this.#deps.runs.note(run, 'It had stopped half-way and was rolled forward.');
    delete work.rolling;
    this.#site.dispatch({ type: 'finished', run, error: null });
  }

  #failed(run: string, work: Work, error: unknown): void {
    delete work.rolling;
    if (work.cancelled) return this.#site.dispatch({ type: 'finished', run, error: 'run-timeout' });
    const known = toQuiesceError(error, 'run-failed');
    if (!(error instanceof QuiesceError)) this.#deps.log.error({ err: error, run }, 'a run failed unexpectedly');
    this.#deps.runs.update(run, { error: known.toProblem() });
    this.#site.dispatch({ type: 'finished', run, error: known.code });
  }
}
