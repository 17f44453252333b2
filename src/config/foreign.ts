/** Makes default settings for an app under the primary of another supervisor, where feeds are refused anyway. */
import type { WorkerSettings } from '../config.ts';
import { ownSettings } from './settings/own-settings.ts';
import { pm2Settings } from './settings/pm2-settings.ts';
import { appSchema, valuesOf } from './settings/schema.ts';
import { toldToWorkers } from './settings/told.ts';

/** The heartbeat interval, ms. Long, since no process receives the heartbeats. */
const seldom = 60_000;

export function foreignSettings({ MONGODB_URI, QUIESCE_SYNC_TOKEN }: NodeJS.ProcessEnv): WorkerSettings {
  const name = 'app';
  const app = appSchema.parse({ script: name });
  const { mongodb, sync, heartbeat, ...own } = valuesOf(ownSettings, app.quiesce);
  const told = toldToWorkers({
    ...valuesOf(pm2Settings, app),
    ...own,
    name,
    mongodb: { ...mongodb, uri: MONGODB_URI ?? null },
    sync: { ...sync, token: QUIESCE_SYNC_TOKEN ?? null, uploadTimeout: 0 },
    heartbeat: { ...heartbeat, interval: seldom },
  });
  return { ...told, spoolDir: '' };
}
