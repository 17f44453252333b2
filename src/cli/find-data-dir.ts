/** Which running app a command means: by flag, by variable, or the one that runs from here. */
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { readOwner, lifeOf } from '../primary/lock-owner.ts';
import { controlSocket } from '../primary/control-path.ts';
import { loadConfig } from '../config/load.ts';
import { findDefaultFile } from '../config/read-file.ts';
import { QuiesceError } from '../errors.ts';

export interface Target {
  readonly dataDir?: string;
  readonly only?: string;
  readonly config?: string;
}

/**
 * Without a flag: the apps of the configuration here, and whatever else has a folder in `.quiesce`. One that runs is
 * taken; with several, `--only` has to choose.
 *
 * @throws QuiesceError `no-primary`, or `bad-usage` where several run.
 */
export async function findDataDir(target: Target, folder = process.cwd()): Promise<string> {
  const given = target.dataDir ?? (process.env['QUIESCE_DATA_DIR'] || undefined);
  if (given !== undefined) return among(path.resolve(folder, given), target.only);

  const candidates = new Set(await fromConfig(target, folder));
  for (const sub of subfolders(path.join(folder, '.quiesce'))) candidates.add(sub);
  const named = [...candidates].filter(
    (candidate) => target.only === undefined || path.basename(candidate) === target.only,
  );
  const running = named.filter((candidate) => runs(candidate));
  if (running.length > 1) throw several(running);
  const [only] = running.length === 1 ? running : named;
  // One that does not run is as good as found: the client then says that nobody answers there.
  if (only !== undefined && (running.length === 1 || named.length === 1)) return only;
  throw new QuiesceError(
    'no-primary',
    `No primary is running from ${folder}${target.only === undefined ? '' : ` for an app called ${target.only}`}. ` +
      'Start one with `quiesce start`, or name its data directory with --data-dir.',
  );
}

/** The folder itself, or where it only holds those of several apps, the one that is meant. */
function among(given: string, only: string | undefined): string {
  if (exists(controlSocket(given)) || readOwner(given) !== undefined) return given;
  const apps = subfolders(given).filter((sub) => (only === undefined ? runs(sub) : path.basename(sub) === only));
  if (apps.length > 1) throw several(apps);
  return apps[0] ?? given;
}

async function fromConfig({ config, only }: Target, folder: string): Promise<string[]> {
  if (config === undefined && findDefaultFile(folder) === undefined) return [];
  try {
    const { apps } = await loadConfig(config, { folder, ...(only === undefined ? {} : { only }) });
    return apps.map(({ dataDir }) => dataDir);
  } catch (error) {
    // A configuration broken since the start must not keep an operator from the app that runs.
    if (config !== undefined) throw error;
    return [];
  }
}

function several(folders: readonly string[]): QuiesceError {
  const names = folders.map((candidate) => path.basename(candidate)).join(', ');
  return new QuiesceError('bad-usage', `Several apps run here: ${names}. Choose one with --only.`);
}

function runs(dataDir: string): boolean {
  const owner = readOwner(dataDir);
  return owner !== undefined && lifeOf(owner) !== 'dead';
}

function subfolders(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory())
      .map((entry) => path.join(folder, entry.name))
      .filter((sub) => exists(path.join(sub, 'admin.token')));
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
