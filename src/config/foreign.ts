/** The settings of an app that serves under somebody else's primary: the defaults. A feed is refused there anyway. */
import type { WorkerSettings } from '../config.ts';
import { ownSettings } from './own-settings.ts';
import { pm2Settings } from './pm2-settings.ts';
import { appSchema, valuesOf } from './schema.ts';
import { toldToWorkers } from './told.ts';

/** Nobody takes its heartbeats; ms. */
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
