/** What a unit, a PM2 configuration or a Dockerfile is made of. */
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AppConfig } from '../../config.ts';
import { lastingName, startedFrom } from '../../own-files.ts';

export interface StartupPlan {
  readonly app: AppConfig;
  /** `start`'s argument: the configuration, or the script. */
  readonly file: string;
  /** More than one app in the file, so that `--only` has to choose. */
  readonly several: boolean;
  readonly envName: string | undefined;
  /** The data directory that was asked for; null for the usual one of the kind. */
  readonly dataDir: string | null;
  readonly node: string;
  /** dist/cli/main.js */
  readonly main: string;
  /** How long a graceful stop may take, ms: requests in flight, then the workers. */
  readonly stopTimeout: number;
  /** The folder with the package.json of the app, or that of the file. */
  readonly project: string;
}

/** More than workers need to end, for the primary itself, ms. */
const margin = 5000;

export function startupPlan(given: Pick<StartupPlan, 'app' | 'file' | 'several' | 'envName' | 'dataDir'>): StartupPlan {
  const { app, file } = given;
  return {
    ...given,
    node: process.execPath,
    main: mainOf(app.cwd),
    stopTimeout: app.maintenance.drainTimeout + app.killTimeout + margin,
    project: projectOf(path.dirname(file)),
  };
}

/** The arguments of `quiesce`, with the file under the name that `rename` gives it. */
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

/** The command under the name that it has in every release, where the app brings it along. */
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

/** The uid that a folder belongs to. */
export function ownerOf(folder: string): number {
  return statSync(folder).uid;
}
