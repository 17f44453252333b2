/** The data that all parts of one run share. */
import type { ClientSession, Db, MongoClient } from 'mongodb';
import type { Fence } from './database/fence.ts';
import type { MirrorJob } from './messages.ts';
import type { PreparedFeed } from './prepared/prepared-feed.ts';
import type { ProgressMeter } from './progress-meter.ts';

export interface RunContext {
  readonly job: MirrorJob;
  readonly client: MongoClient;
  readonly db: Db;
  /** The session of all writes of the run, so that a later run can end it. */
  readonly session: ClientSession;
  readonly fence: Fence;
  readonly feed: PreparedFeed;
  /** The folder of the run's own files. */
  readonly folder: string;
  readonly progress: ProgressMeter;
  readonly signal: AbortSignal;
}

/** Returns a callback for the number of documents compared so far. The callback throws if the run was cancelled. */
export function scanProgress({ feed, progress, signal }: RunContext): (count: number) => void {
  progress.start('scan', feed.table.count);
  return (count) => {
    signal.throwIfAborted();
    progress.tick(count, Math.max(count, feed.table.count));
  };
}
