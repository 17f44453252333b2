/**
 * One app of an `ecosystem.config.js`, validated and with all defaults. Fields that PM2 also has keep PM2's meaning and
 * default. Times are milliseconds, sizes are bytes, paths are absolute, values that are not set are null. `instances`
 * is at least 1; `env` has the variables that workers get in addition to the primary's environment.
 */
import type { ownSettings } from './config/settings/own-settings.ts';
import type { pm2Settings } from './config/settings/pm2-settings.ts';
import type { Told, Values } from './config/settings/setting.ts';

export interface AppConfig extends Values<typeof pm2Settings>, Values<typeof ownSettings> {}

/** The settings that a worker gets. They are sent over IPC, so neither the environment nor `ps` shows a token. */
export interface WorkerSettings extends Told<typeof pm2Settings>, Told<typeof ownSettings> {
  /** The folder for uploads. */
  readonly spoolDir: string;
}
