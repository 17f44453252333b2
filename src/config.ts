/**
 * One app of an `ecosystem.config.js`, validated and with every default filled in. Fields that PM2 has keep
 * PM2's meaning and default. Times are milliseconds, sizes bytes, paths absolute, what is not set null. `instances` is
 * at least 1; `env` is what the app's workers get on top of the primary's own environment.
 */
import type { ownSettings } from './config/own-settings.ts';
import type { pm2Settings } from './config/pm2-settings.ts';
import type { Told, Values } from './config/setting.ts';

export interface AppConfig extends Values<typeof pm2Settings>, Values<typeof ownSettings> {}

/** What a worker is told. It comes over IPC: neither the environment nor `ps` shows a token. */
export interface WorkerSettings extends Told<typeof pm2Settings>, Told<typeof ownSettings> {
  /** Where uploads are written to. */
  readonly spoolDir: string;
}
