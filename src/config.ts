/**
 * One app of an `ecosystem.config.js`, validated and with every default filled in. Fields that PM2 has keep
 * PM2's meaning and default. Times are milliseconds, sizes bytes, paths absolute.
 */
import type { MaxDeletes } from './protocol/max-deletes.ts';

export interface AppConfig {
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
  readonly nodeArgs: readonly string[];
  readonly cwd: string;
  /** At least 1; `max`, 0 and negative numbers are resolved against the cores. */
  readonly instances: number;
  /** What the app's workers get on top of the primary's own environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly maxMemoryRestart: number | null;
  readonly killTimeout: number;
  readonly listenTimeout: number;
  readonly waitReady: boolean;
  readonly minUptime: number;
  readonly maxRestarts: number;
  readonly restartDelay: number;
  readonly expBackoffRestartDelay: number;
  readonly outFile: string | null;
  readonly errorFile: string | null;
  readonly mergeLogs: boolean;
  readonly logDateFormat: string | null;
  readonly cronRestart: string | null;
  /** The environment variable that holds the slot. PM2's default: NODE_APP_INSTANCE. */
  readonly instanceVar: string;
  /** An environment variable whose number grows by one with each slot. */
  readonly incrementVar: string | null;
  readonly dataDir: string;
  readonly mongodb: { readonly uri: string | null; readonly db: string | null };
  readonly scheduling: 'rr' | 'os';
  /** ms */
  readonly webSocketTimeout: number;
  readonly sync: SyncConfig;
  readonly maintenance: MaintenanceConfig;
  readonly heartbeat: { readonly interval: number; readonly timeout: number };
  readonly admin: { readonly host: string; readonly port: number } | null;
}

export interface SyncConfig {
  readonly collection: string;
  readonly key: string;
  readonly token: string | null;
  readonly strategy: 'auto' | 'two-phase' | 'scan' | 'swap';
  readonly atomic: boolean | 'auto';
  readonly maxBytes: number;
  readonly maxDeletes: MaxDeletes | null;
  readonly uploadTimeout: number;
  readonly databaseTimeout: number;
  /** How long a mirror waits in the pause for what somebody else's transaction holds. */
  readonly conflictTimeout: number;
  /** An exclusive run that takes longer is ended: its worker is killed, or the mirror given up. */
  readonly runTimeout: number;
}

export interface MaintenanceConfig {
  readonly drainTimeout: number;
  readonly onDrainTimeout: 'abort' | 'force';
  readonly onPause: 'refuse' | 'hold';
  readonly readyGrace: number;
  /** The app's own file for browsers during a pause. */
  readonly page: string | null;
  /** Paths that a pause never holds. */
  readonly except: readonly string[];
}
