/** Collects the data for a systemd unit, a PM2 configuration or a Dockerfile. */
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AppConfig } from '../../config.ts';
import { pm2KillTimeout } from '../../primary/fleet/lifecycle/settings.ts';
import { lastingName, startedFrom } from '../../own-files.ts';

export interface StartupPlan {
  readonly app: AppConfig;
  /** `start`'s argument: the configuration, or the script. */
  readonly file: string;
  /** The file has more than one app, so `--only` has to choose one. */
  readonly several: boolean;
  readonly envName: string | undefined;
  /** The requested data directory; null for the usual one of this kind of startup. */
  readonly dataDir: string | null;
  readonly node: string;
  /** dist/cli/main.js */
  readonly main: string;
  /** How long a graceful stop may take, ms: requests in flight, then the workers. */
  readonly stopTimeout: number;
  /** The folder with the app's package.json, or the folder of the file. */
  readonly project: string;
}

/** The time that the primary itself needs to end, in addition to its workers, ms. */
const margin = 5000;

export function startupPlan(given: Pick<StartupPlan, 'app' | 'file' | 'several' | 'envName' | 'dataDir'>): StartupPlan {
  const { app, file } = given;
  return {
    ...given,
    node: process.execPath,
    main: mainOf(app.cwd),
    stopTimeout: app.maintenance.drainTimeout + (app.killTimeout ?? pm2KillTimeout) + margin,
    project: projectOf(path.dirname(file)),
  };
}

/** Returns the arguments of `quiesce`; `rename` maps the path of the file. */
export function startArguments(
  { app, file, several, envName }: StartupPlan,
  rename = (name: string): string => name,
): string[] {
  return [
    'start',
    rename(file),
    ...(several ? ['--only', app.name] : []),
    ...(envName === undefined ? [] : ['--env', envName]),
  ];
}

/** Returns the path of the command that stays the same in every release, if the app includes quiesce. */
function mainOf(cwd: string): string {
  startedFrom(cwd);
  return lastingName(fileURLToPath(new URL('../main.js', import.meta.url)));
}

function projectOf(folder: string): string {
  for (let here = folder; ; here = path.dirname(here)) {
    if (existsSync(path.join(here, 'package.json'))) return here;
    if (path.dirname(here) === here) return folder;
  }
}

/** Returns the uid of a folder's owner. */
export function ownerOf(folder: string): number {
  return statSync(folder).uid;
}
