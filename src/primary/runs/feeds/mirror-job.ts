/** Makes the job of the mirror thread: the options of the route, completed from the configuration. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { AppConfig } from '../../../config.ts';
import type { ForeseeRequest, MirrorJob } from '../../../mirror/messages.ts';
import type { AcceptedSettings, CompleteMirrorOptions, SpooledFeed } from '../../../protocol/workers/mirror-job.ts';

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

function settingsOf({ sync }: AppConfig): AcceptedSettings {
  const { strategy, atomic, maxBytes, conflictTimeout, databaseTimeout } = sync;
  return { strategy, atomic, maxBytes, conflictTimeout, databaseTimeout };
}

/** The options with what the configuration adds to them, and its settings. */
export function asAccepted(
  config: AppConfig,
  mirror: CompleteMirrorOptions,
): { readonly mirror: CompleteMirrorOptions; readonly settings: AcceptedSettings } {
  const db = mirror.db ?? config.mongodb.db;
  const maxDeletes = mirror.maxDeletes ?? config.sync.maxDeletes;
  const added = { ...(db === null ? {} : { db }), ...(maxDeletes === null ? {} : { maxDeletes }) };
  return { mirror: { ...mirror, ...added }, settings: settingsOf(config) };
}

export function jobOf(
  config: AppConfig,
  run: string,
  feed: SpooledFeed,
  mirror: CompleteMirrorOptions,
  settings: AcceptedSettings = settingsOf(config),
): MirrorJob {
  const { sync, dataDir } = config;
  const maxDeletes = mirror.maxDeletes ?? sync.maxDeletes;
  return {
    ...foreseeableOf(config, mirror),
    ...settings,
    run,
    owner,
    spool: feed.path,
    format: feed.format,
    coding: feed.coding,
    ...(feed.items === undefined ? {} : { items: feed.items }),
    key: mirror.key,
    extendedJson: mirror.extendedJson,
    ...(maxDeletes === null ? {} : { maxDeletes }),
    workDir: join(dataDir, 'work', owner), // not shared: a successor may be rolling the same run forward
  };
}
