/** Finds the data directory of the app that a command is for: from a flag, a variable, or the current folder. */
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { lifeOf, ownerFile, readOwner } from '../primary/data-dir/lock-owner.ts';
import { controlSocket } from '../primary/admin/control-socket.ts';
import { findDefaultFile } from '../config/file/default-file.ts';
import { dataPlaces, folderName, workingFolder } from '../config/data-place.ts';
import { QuiesceError } from '../errors.ts';

export interface Target {
  readonly dataDir?: string;
  readonly only?: string;
  readonly config?: string;
}

/** Returns the data directory of the single app that matches. */
export async function findDataDir(target: Target, folder = workingFolder()): Promise<string> {
  const [only, ...others] = await findDataDirs(target, folder);
  if (only === undefined || others.length > 0) throw several([only ?? '', ...others]);
  return only;
}

/**
 * Without a flag, looks for the apps of the configuration in this folder and other apps that were started from it; if
 * there are none, does the same in the folders above. Returns the running apps. If none runs but there is exactly one
 * app, returns that app, so that the client can report that its primary does not answer.
 *
 * @throws QuiesceError `no-primary` if no app is found
 */
export async function findDataDirs(target: Target, folder = workingFolder()): Promise<string[]> {
  const given = target.dataDir ?? (process.env['QUIESCE_DATA_DIR'] || undefined);
  if (given !== undefined) return within(path.resolve(folder, given), target.only);

  for (const each of target.config === undefined ? upwards(folder) : [folder]) {
    const found = await findAt(target, each);
    if (found.length > 0) return found;
  }
  const places = dataPlaces(folder, process.env);
  throw new QuiesceError(
    'no-primary',
    `No primary is running from ${folder} or a folder above it${target.only === undefined ? '' : `, for an app called ${target.only}`}. ` +
      `For ${folder} this looked in ${places.join(' and ')}. Start one with \`quiesce start\`, run the command as the user who did, or name its data directory with --data-dir.`,
  );
}

/** Returns the apps started from this folder; empty if there are none, or if several match and none runs. */
async function findAt(target: Target, folder: string): Promise<string[]> {
  const candidates = new Set(await fromConfig(target, folder));
  for (const place of dataPlaces(folder, process.env)) for (const sub of subfolders(place)) candidates.add(sub);
  const named = [...candidates].filter((candidate) => isCalled(candidate, target.only));
  const running = named.filter((candidate) => runs(candidate));
  if (running.length > 0) return running;
  return named.length === 1 ? named : [];
}

/** Yields the folder and all folders above it, the nearest first, as git looks for its repository. */
function* upwards(folder: string): Generator<string> {
  for (let at = folder; ; at = path.dirname(at)) {
    yield at;
    if (path.dirname(at) === at) return;
  }
}

/** Returns the folder itself or, if it only contains the data directories of several apps, those that match. */
function within(given: string, only: string | undefined): string[] {
  if (exists(controlSocket(given)) || readOwner(given) !== undefined) return [given];
  const apps = subfolders(given).filter((sub) => isCalled(sub, only) && (only !== undefined || runs(sub)));
  return apps.length > 0 ? apps : [given];
}

function isCalled(dataDir: string, name: string | undefined): boolean {
  return name === undefined || path.basename(dataDir) === folderName(name);
}

async function fromConfig({ config, only }: Target, folder: string): Promise<string[]> {
  if (config === undefined && findDefaultFile(folder) === undefined) return [];
  try {
    const { dataDirsIn } = await import('../config/data-dirs.ts');
    const found = await dataDirsIn(config, folder, only);
    if (found !== null) return found;
    const { loadConfig } = await import('../config/load.ts');
    const { apps } = await loadConfig(config, { folder, ...(only === undefined ? {} : { only }) });
    return apps.map(({ dataDir }) => dataDir);
  } catch (error) {
    // If the configuration was broken after the start, an operator must still be able to reach the running app.
    if (config !== undefined) throw error;
    return [];
  }
}

export function several(folders: readonly string[]): QuiesceError {
  const names = folders.map((candidate) => path.basename(candidate)).join(', ');
  return new QuiesceError('bad-usage', `Several apps run here: ${names}. Choose one with --only.`);
}

/** Whether a primary here holds the data directory. It may not listen yet, or no longer. */
export function isHeld(dataDir: string): boolean {
  const owner = readOwner(dataDir);
  return owner !== undefined && lifeOf(owner) === 'alive';
}

function runs(dataDir: string): boolean {
  const owner = readOwner(dataDir);
  return owner !== undefined && lifeOf(owner) !== 'dead';
}

function subfolders(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return (
      entries
        .filter((entry) => entry.isDirectory())
        .map((entry) => path.join(folder, entry.name))
        // A primary that is starting has the lock before it has a token.
        .filter((sub) => exists(path.join(sub, 'admin.token')) || exists(ownerFile(sub)))
    );
  } catch {
    return [];
  }
}

function exists(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}
