/** Makes the job of the mirror thread: the options of the route, completed from the configuration. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { AppConfig } from '../../config.ts';
import type { MirrorJob } from '../../mirror/messages.ts';
import type { CompleteMirrorOptions, SpooledFeed } from '../../protocol/mirror-job.ts';

/** Identifies this primary among all that ever write: the fence distinguishes primaries with the same epoch by it. */
const owner = randomUUID();

export function jobOf(config: AppConfig, run: string, feed: SpooledFeed, mirror: CompleteMirrorOptions): MirrorJob {
  const { mongodb, sync, dataDir } = config;
  const db = mirror.db ?? mongodb.db;
  const maxDeletes = mirror.maxDeletes ?? sync.maxDeletes;
  return {
    run,
    owner,
    spool: feed.path,
    format: feed.format,
    coding: feed.coding,
    ...(feed.items === undefined ? {} : { items: feed.items }),
    uri: mongodb.uri!,
    ...(db === null ? {} : { db }),
    collection: mirror.collection,
    key: mirror.key,
    ...(mirror.scope === undefined ? {} : { scope: mirror.scope }),
    extendedJson: mirror.extendedJson,
    ...(maxDeletes === null ? {} : { maxDeletes }),
    maxBytes: sync.maxBytes,
    strategy: sync.strategy,
    atomic: sync.atomic,
    databaseTimeout: sync.databaseTimeout,
    conflictTimeout: sync.conflictTimeout,
    workDir: join(dataDir, 'work', owner), // not shared: a successor may be rolling the same run forward
  };
}
