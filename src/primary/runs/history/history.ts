/** The history of runs: current runs in memory, ended ones in one file each in `<data dir>/runs`. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import { makeJsonFolder, removeHeld, writeDurably } from '../../data-dir/durable.ts';
import { newRunId } from './id.ts';
import { IdOrder } from './id-order.ts';
import { storedRuns } from './stored-runs.ts';
import { isEnded } from '../../../protocol/api/is-ended.ts';
import type { RunKind } from '../../../protocol/words.ts';
import type { Progress, RunRecord } from '../../../protocol/api/runs.ts';

export class RunStore {
  readonly #dir: string;
  readonly #log: Logger;
  /** How many ended runs of each kind are kept. */
  readonly kept: number;
  /** By id. */
  readonly #runs = new Map<string, RunRecord>();
  /** Of other hosts of the cluster, where there are any. */
  readonly #others = new Map<string, RunRecord>();
  /** Of both; ids sort by time. */
  readonly #order = new IdOrder();
  /** The newest id that other hosts have used, whether or not the run is in the history. */
  #newestElsewhere: string | null = null;
  readonly #listeners = new Set<(run: RunRecord) => void>();
  readonly #otherListeners = new Set<(run: RunRecord) => void>();
  readonly #confirmedListeners = new Set<(run: RunRecord) => void>();
  #writing: Promise<void> = Promise.resolve();

  private constructor(dir: string, log: Logger, kept: number) {
    this.#dir = dir;
    this.#log = log;
    this.kept = kept;
  }

  /**
   * Reads the history. A file that cannot be read is logged and left alone. `kept`: how many ended runs of each kind
   * are kept. Those of a busy handler must not push out a nightly feed.
   */
  static async open(dir: string, log: Logger, kept = 500): Promise<RunStore> {
    const store = new RunStore(dir, log, kept);
    await makeJsonFolder(dir);
    const onUnreadable = (file: string, err: unknown): void =>
      log.warn({ err, file }, 'a run of the history cannot be read and is left out');
    for (const run of await storedRuns(dir, onUnreadable)) store.add(run);
    return store;
  }

  /** Runs that a former primary left without an end. */
  unended(): RunRecord[] {
    return [...this.#runs.values()].filter((run) => !isEnded(run.state));
  }

  /** Calls `listener` at each change. */
  onChange(listener: (run: RunRecord) => void): void {
    this.#listeners.add(listener);
  }

  /** Calls `listener` at each change, also of a run that another host has. */
  onAny(listener: (run: RunRecord) => void): void {
    this.onChange(listener);
    this.#otherListeners.add(listener);
  }

  /** Calls `listener` when a run of this host has been confirmed. */
  onConfirmed(listener: (run: RunRecord) => void): void {
    this.#confirmedListeners.add(listener);
  }

  /** The id of a new run. It sorts after that of each run that this host knows, whatever the clocks of the hosts say. */
  newId(now: Date): string {
    const { newest } = this.#order;
    const elsewhere = this.#newestElsewhere;
    return newRunId(now, newest === null || (elsewhere !== null && elsewhere > newest) ? elsewhere : newest);
  }

  /** Another host has a run, or had one, with this id. Its record may come later. */
  heardOf(id: string): void {
    if (this.#newestElsewhere === null || this.#newestElsewhere < id) this.#newestElsewhere = id;
  }

  /** A run as the history of all hosts has it. Of one that this host has as well, only an end that is missing here counts. */
  addOther(run: RunRecord): void {
    const own = this.#runs.get(run.id);
    if (own !== undefined && (isEnded(own.state) || !isEnded(run.state))) return;
    this.#others.set(run.id, run);
    this.#order.add(run.id);
    if (isEnded(run.state)) for (const { id } of this.#surplus(this.#others, run.kind)) this.#drop(this.#others, id);
    if (own === undefined) for (const listener of this.#otherListeners) listener(run);
  }

  get(id: string): RunRecord | undefined {
    return this.#runs.get(id) ?? this.#others.get(id);
  }

  /** What this host itself knows of a run. */
  own(id: string): RunRecord | undefined {
    return this.#runs.get(id);
  }

  /** The newest first; with `isLike`, only those for which it is true. */
  list(limit: number, isLike: (run: RunRecord) => boolean = () => true): RunRecord[] {
    const found: RunRecord[] = [];
    for (const id of this.#order.newestFirst()) {
      if (found.length >= limit) break;
      const run = this.get(id)!;
      if (isLike(run)) found.push(run);
    }
    return found;
  }

  /** The newest run for which `isLike` is true. */
  find(isLike: (run: RunRecord) => boolean): RunRecord | undefined {
    return this.list(1, isLike)[0];
  }

  get last(): RunRecord | null {
    return this.list(1)[0] ?? null;
  }

  /** The largest epoch of a pause in the history; 0 if there is none. */
  get newestEpoch(): number {
    return Math.max(0, ...[...this.#runs.values()].map(({ epoch = 0 }) => epoch));
  }

  /** Listeners hear of the run at its first change: a refused claim never was a run. */
  add(run: RunRecord): void {
    this.#runs.set(run.id, run);
    this.#order.add(run.id);
  }

  /** Removes a run that was refused. */
  remove(id: string): void {
    this.#drop(this.#runs, id);
  }

  #drop(runs: Map<string, RunRecord>, id: string): void {
    runs.delete(id);
    if (this.get(id) === undefined) this.#order.remove(id);
  }

  update(id: string, change: Partial<RunRecord>): void {
    const run = this.#runs.get(id);
    if (run === undefined || isEnded(run.state)) return;
    const next = { ...run, ...change };
    this.#runs.set(id, next);
    this.#tell(next);
  }

  /** Adds a remark about the run to its record. */
  note(id: string, note: string): void {
    const run = this.#runs.get(id);
    if (run) this.update(id, { notes: [...(run.notes ?? []), note] });
  }

  /** The record of a run that has ended; durable when this resolves. */
  end(id: string, end: Pick<RunRecord, 'state' | 'report' | 'error'>): Promise<void> {
    const run = this.#runs.get(id);
    if (run === undefined) return this.#writing;
    // An error of an attempt that was repeated successfully is not an error of the run.
    const { error: _error, progress, ...rest } = run;
    const next: RunRecord = {
      ...rest,
      ...(progress === undefined ? {} : { progress: end.state === 'succeeded' ? whole(progress) : progress }),
      ...end,
      endedAt: new Date().toISOString(),
    };
    this.#runs.set(id, next);
    const saved = this.save(id);
    this.#tell(next);
    return saved;
  }

  /** The server of a feed says that it has not changed since this run. Durable when this resolves. */
  confirm(id: string, at = new Date()): Promise<void> {
    const run = this.#runs.get(id);
    if (run === undefined || !isEnded(run.state)) return this.#writing;
    const next = { ...run, confirmedAt: at.toISOString() };
    this.#runs.set(id, next);
    const saved = this.save(id);
    for (const listener of this.#confirmedListeners) listener(next);
    return saved;
  }

  /** Makes the current record of a run durable, whatever its state. */
  save(id: string): Promise<void> {
    const run = this.#runs.get(id);
    if (run === undefined) return this.#writing;
    this.#writing = this.#writing.then(() => this.#write(run));
    return this.#writing;
  }

  /** Writes the history again after its files were removed. */
  async restore(): Promise<void> {
    for (const { id, state } of this.#runs.values()) if (isEnded(state)) await this.save(id);
  }

  async flush(): Promise<void> {
    await this.#writing;
  }

  /** The oldest of this kind, where more than are kept have ended. */
  #surplus(runs: Map<string, RunRecord>, kind: RunKind): RunRecord[] {
    const all = this.#order.oldestFirst().flatMap((id) => runs.get(id) ?? []);
    return all.filter((run) => run.kind === kind && isEnded(run.state)).slice(0, -this.kept);
  }

  #tell(run: RunRecord): void {
    for (const listener of this.#listeners) listener(run);
  }

  async #write(run: RunRecord): Promise<void> {
    if (!this.#runs.has(run.id)) return; // so many runs have ended since that it is no longer kept
    try {
      await writeDurably(join(this.#dir, `${run.id}.json`), `${JSON.stringify(run, null, 2)}\n`);
      for (const { id } of this.#surplus(this.#runs, run.kind)) {
        this.#drop(this.#runs, id);
        await removeHeld(join(this.#dir, `${id}.json`));
      }
    } catch (error) {
      // A full disk must not make a successful run a failed one.
      this.#log.error({ err: error, run: run.id }, 'a run cannot be written to the history');
    }
  }
}

/** Progress is reported at most ten times a second, so the last report may be less than the end. */
function whole({ step, done, total = done }: Progress): Progress {
  return { step, done: total, total };
}
