/**
 * Brings the runs of this host into the history of all hosts, and those of the others here. A host that is gone writes no
 * end: the others write it, from what the site document says.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { isMember, type HostRef, type Site } from '../../cluster/document.ts';
import type { LoggedRun, RunLog } from '../../cluster/run-log.ts';
import { QuiesceError } from '../../errors.ts';
import { isEnded } from '../../protocol/api/is-ended.ts';
import type { RunRecord } from '../../protocol/api/runs.ts';
import { abandoned } from '../runs/requests/end.ts';
import type { RunStore } from '../runs/history/history.ts';

export interface ClusterHistoryDeps {
  readonly runLog: RunLog;
  readonly runs: RunStore;
  readonly ref: () => HostRef;
  readonly site: () => Site | null;
  readonly log: Logger;
}

/** How soon a write or a stream that failed is tried again, ms. */
const again = 1_000;
/** How often a record is looked for that another host is about to write. */
const recordTries = 10;

export class ClusterHistory {
  readonly #deps: ClusterHistoryDeps;
  readonly #stopped = new AbortController();
  /** What this host has still to write, by run: the newest record of each. */
  readonly #due = new Map<string, LoggedRun>();
  readonly #written = new Map<string, RunRecord['state']>();
  #writing: Promise<void> | null = null;
  /** Of other hosts, without an end as yet. */
  readonly #open = new Map<string, LoggedRun>();

  constructor(deps: ClusterHistoryDeps) {
    this.#deps = deps;
    deps.runs.onChange((run) => this.#changed(run));
    deps.runs.onConfirmed((record) => this.#put({ record, host: deps.ref() }));
  }

  start(): void {
    void this.#follow();
  }

  /** Resolves when what is due is written, or cannot be written now. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#writing;
  }

  /**
   * How a run that this host has lost has ended elsewhere; null where it has not. The site document knows the end a moment
   * before its record is written.
   */
  async endElsewhere(run: string): Promise<Pick<RunRecord, 'state' | 'report' | 'error'> | null> {
    const told = this.#deps.site()?.mirrored?.find((each) => each.run === run);
    for (let left = told === undefined ? 1 : recordTries; left > 0; left--) {
      const found = await this.#deps.runLog.find(run).catch(() => null);
      if (found !== null && isEnded(found.state)) return found;
      if (left > 1) await delay(again, undefined, { ref: false });
    }
    return told === undefined ? null : { state: told.outcome };
  }

  /** The view of the site has changed. */
  look(): void {
    const site = this.#deps.site();
    const current = site?.run?.id;
    const own = current === undefined ? undefined : this.#deps.runs.own(current);
    for (const { run } of site?.mirrored ?? []) this.#deps.runs.heardOf(run);
    if (current !== undefined) this.#deps.runs.heardOf(current);
    if (own !== undefined) this.#changed(own);
    for (const run of this.#open.values()) this.#endOf(run, site);
  }

  /** A claim that is refused never was a run, so one is written once the site has it. Its progress is this host's alone. */
  #changed(run: RunRecord): void {
    const { id, state } = run;
    if (!isEnded(state) && this.#deps.site()?.run?.id !== id) return;
    if (this.#written.get(id) === state) return;
    this.#written.set(id, state);
    if (this.#written.size > 100) this.#written.delete(this.#written.keys().next().value!);
    const { progress: _progress, ...record } = run;
    this.#put({ record, host: this.#deps.ref() });
  }

  #put(run: LoggedRun): void {
    this.#due.set(run.record.id, run);
    this.#writing ??= this.#write().finally(() => (this.#writing = null));
  }

  async #write(): Promise<void> {
    for (const [id, run] of this.#due) {
      try {
        await this.#deps.runLog.put(run);
        if (this.#due.get(id) === run) this.#due.delete(id);
      } catch (error) {
        this.#deps.log.warn({ err: error, run: id }, 'a run cannot be written to the history of all hosts yet');
        if (this.#stopped.signal.aborted) return;
        await delay(again, undefined, { ref: false });
      }
    }
    if (this.#due.size > 0 && !this.#stopped.signal.aborted) await this.#write();
  }

  async #follow(): Promise<void> {
    const { runLog, log } = this.#deps;
    const { signal } = this.#stopped;
    for (let hasFailed = false; !signal.aborted;) {
      try {
        const all = runLog.all().then((runs) => runs.forEach((run) => this.#saw(run)));
        all.catch(() => {});
        await runLog.watch((run) => this.#saw(run), signal);
        await all;
        hasFailed = false;
      } catch (error) {
        if (!hasFailed && !signal.aborted) log.warn({ err: error }, 'the history of all hosts cannot be read now');
        hasFailed = true;
      }
      if (!signal.aborted) await delay(again, undefined, { ref: false });
    }
  }

  #saw(run: LoggedRun): void {
    const { id, state } = run.record;
    const own = this.#deps.runs.own(id);
    if (isEnded(state)) this.#open.delete(id);
    // It died before it could write this end there.
    else if (own?.endedAt !== undefined && run.host.host === this.#deps.ref().host) this.#put({ ...run, record: own });
    else this.#open.set(id, run);
    this.#deps.runs.addOther(run.record);
    if (!isEnded(state)) this.#endOf(run, this.#deps.site());
  }

  /** Its host is gone, and the site has no such run any more: nobody else writes its end. */
  #endOf({ record, host }: LoggedRun, site: Site | null): void {
    if (site === null || site.run?.id === record.id || isMember(site, host)) return;
    if (!this.#open.delete(record.id)) return;
    const end = site.mirrored?.find(({ run }) => run === record.id);
    const how = end === undefined ? endWithout(record) : { state: end.outcome };
    this.#put({ record: { ...record, ...how, endedAt: new Date().toISOString() }, host });
  }
}

/**
 * The end of a run whose host is gone and that no host has finished. A run that may be half written gets here only if an
 * operator has abandoned it.
 */
function endWithout({ kind, state, epoch }: RunRecord): Pick<RunRecord, 'state' | 'error'> {
  const isHalfDone = kind === 'sync' && epoch !== undefined && (state === 'running' || state === 'rolling-forward');
  if (isHalfDone) return { state: 'abandoned', error: abandoned(undefined).toProblem() };
  const when = kind === 'sync' ? 'before it started to write: nothing was changed' : 'while it was going on';
  return {
    state: 'failed',
    error: new QuiesceError('owner-died', `The host of the run was lost ${when}.`).toProblem(),
  };
}
