/** The part of the configuration that workers need. */
import { join } from 'node:path';
import type { AppConfig, WorkerSettings } from '../../config.ts';
import { toldToWorkers } from '../../config/settings/told.ts';

export function spoolDirOf(dataDir: string): string {
  return join(dataDir, 'spool');
}

export function workerSettingsOf(config: AppConfig): WorkerSettings {
  return { ...toldToWorkers(config), spoolDir: spoolDirOf(config.dataDir) };
}
