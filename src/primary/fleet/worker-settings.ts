/** What workers need of the configuration. */
import { join } from 'node:path';
import type { AppConfig } from '../../config.ts';
import type { WorkerSettings } from '../../protocol/messages.ts';

export function spoolDirOf(dataDir: string): string {
  return join(dataDir, 'spool');
}

export function workerSettingsOf(config: AppConfig): WorkerSettings {
  const { collection, key, token, maxBytes, uploadTimeout } = config.sync;
  const { onPause, readyGrace, drainTimeout, page, except } = config.maintenance;
  return {
    name: config.name,
    mongodb: config.mongodb,
    sync: { collection, key, token, maxBytes, uploadTimeout },
    maintenance: { onPause, readyGrace, drainTimeout, page, except },
    heartbeat: { interval: config.heartbeat.interval },
    spoolDir: spoolDirOf(config.dataDir),
  };
}
