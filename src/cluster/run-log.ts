/**
 * Keeps the runs of all hosts in MongoDB, so that any host can show any run. Each host writes its own runs. Once a run
 * has ended there, only the confirmation of its feed changes it. The number of ended runs is bounded.
 */
import type { Collection, Document } from 'mongodb';
import { runRecord, type RunRecord } from '../protocol/api/runs.ts';
import { isEnded } from '../protocol/api/is-ended.ts';
import { isDuplicateKey } from '../duplicate-key.ts';
import { eachChange } from './collections.ts';
import type { HostRef } from './document.ts';

export const runsCollection = 'quiesce.runs';

export interface LoggedRun {
  readonly record: RunRecord;
  /** The host that has written it. */
  readonly host: HostRef;
}

interface RunDocument extends Document {
  _id: string;
  cluster: string;
  host: string;
  incarnation: string;
  kind: string;
  ended: boolean;
  /** As JSON text, because the fields of a scope may have any name, also one with a dot or a `$`. */
  record: string;
}

export class RunLog {
  readonly #collection: Collection<RunDocument>;
  readonly #cluster: string;
  readonly #kept: number;

  /** @param kept the number of ended runs to keep, per kind */
  constructor(collection: Collection<RunDocument>, cluster: string, kept: number) {
    this.#collection = collection;
    this.#cluster = cluster;
    this.#kept = kept;
  }

  /** Writes the record. If the stored run has ended, only a record that confirms its feed is written. */
  async put({ record, host: ref }: LoggedRun): Promise<void> {
    const { id, kind, state, confirmedAt } = record;
    const { host, incarnation } = ref;
    const run = {
      cluster: this.#cluster,
      host,
      incarnation,
      kind,
      ended: isEnded(state),
      record: JSON.stringify(record),
    };
    const replaced = confirmedAt === undefined ? { _id: id, ended: false } : { _id: id };
    try {
      await this.#collection.updateOne(replaced, { $set: run }, { upsert: true });
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
    if (run.ended) await this.#trim(kind);
  }

  async #trim(kind: string): Promise<void> {
    const ended = { cluster: this.#cluster, kind, ended: true };
    const surplus = await this.#collection
      .find(ended, { projection: { _id: 1 } })
      .sort({ _id: -1 })
      .skip(this.#kept)
      .toArray();
    if (surplus.length > 0) await this.#collection.deleteMany({ _id: { $in: surplus.map(({ _id }) => _id) } });
  }

  async find(run: string): Promise<RunRecord | null> {
    const found = await this.#collection.findOne({ _id: run, cluster: this.#cluster });
    return found === null ? null : (read(found)?.record ?? null);
  }

  /** All kept runs, oldest first. */
  async all(): Promise<LoggedRun[]> {
    const found = await this.#collection.find({ cluster: this.#cluster }).sort({ _id: 1 }).toArray();
    return found.flatMap((each) => read(each) ?? []);
  }

  /**
   * Calls `onRun` with each run written from now on. Returns when the signal is aborted; rejects when the stream fails.
   */
  async watch(onRun: (run: LoggedRun) => void, signal: AbortSignal): Promise<void> {
    const take = (document: RunDocument): void => {
      const run = read(document);
      if (run !== null) onRun(run);
    };
    await eachChange(this.#collection, { 'fullDocument.cluster': this.#cluster }, take, signal);
  }
}

/** Null for a record of a later version that this version cannot read. */
function read({ host, incarnation, record }: RunDocument): LoggedRun | null {
  try {
    return { record: runRecord.parse(JSON.parse(record)), host: { host, incarnation } };
  } catch {
    return null;
  }
}
