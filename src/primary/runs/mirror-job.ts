/** The job of the mirror thread: what the route asked for, completed by the configuration. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { AppConfig } from '../../config.ts';
import type { MirrorJob } from '../../mirror/messages.ts';
import type { CompleteMirrorOptions, SpooledFeed } from '../../protocol/mirror-job.ts';

/** This primary, of all that ever write: the fence tells those apart that have the same epoch. */
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
    workDir: join(dataDir, 'work', owner), // a successor may be rolling the same run forward: its files are others
  };
}
