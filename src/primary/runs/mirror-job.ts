/** Makes the job of the mirror thread: the options of the route, completed from the configuration. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { AppConfig } from '../../config.ts';
import type { ForeseeRequest, MirrorJob } from '../../mirror/messages.ts';
import type { CompleteMirrorOptions, SpooledFeed } from '../../protocol/mirror-job.ts';

/** The part of a job that is known before a feed comes. */
export function foreseeableOf({ mongodb, sync }: AppConfig, mirror: CompleteMirrorOptions): ForeseeRequest {
  const db = mirror.db ?? mongodb.db;
  return {
    uri: mongodb.uri!,
    ...(db === null ? {} : { db }),
    collection: mirror.collection,
    ...(mirror.scope === undefined ? {} : { scope: mirror.scope }),
    ...(mirror.keep === undefined ? {} : { keep: mirror.keep }),
    ...(mirror.deletes === undefined ? {} : { deletes: mirror.deletes }),
    strategy: sync.strategy,
    databaseTimeout: sync.databaseTimeout,
  };
}

/** Identifies this primary among all that ever write: the fence distinguishes primaries with the same epoch by it. */
const owner = randomUUID();

export function jobOf(config: AppConfig, run: string, feed: SpooledFeed, mirror: CompleteMirrorOptions): MirrorJob {
  const { sync, dataDir } = config;
  const maxDeletes = mirror.maxDeletes ?? sync.maxDeletes;
  return {
    ...foreseeableOf(config, mirror),
    run,
    owner,
    spool: feed.path,
    format: feed.format,
    coding: feed.coding,
    ...(feed.items === undefined ? {} : { items: feed.items }),
    key: mirror.key,
    extendedJson: mirror.extendedJson,
    ...(maxDeletes === null ? {} : { maxDeletes }),
    maxBytes: sync.maxBytes,
    atomic: sync.atomic,
    conflictTimeout: sync.conflictTimeout,
    workDir: join(dataDir, 'work', owner), // not shared: a successor may be rolling the same run forward
  };
}
