/**
 * Finds the data directories of the apps of a configuration without checking it. A check takes longer than all the rest
 * of a command such as `status`, which a health check calls every few seconds.
 */
import path from 'node:path';
import { appName, dataPlace } from './data-place.ts';
import { aliases } from './settings/pm2-fields.ts';
import { readConfigFile } from './file/read-file.ts';

const scriptNames = ['script', ...Object.keys(aliases).filter((name) => aliases[name] === 'script')];

/**
 * @param only just the app of this name
 * @returns null if that cannot be told without checking the configuration
 * @throws QuiesceError `bad-config` if the file cannot be read
 */
export async function dataDirsIn(
  file: string | undefined,
  folder: string,
  only: string | undefined,
): Promise<string[] | null> {
  const raw = await readConfigFile(file, folder);
  if (process.env['QUIESCE_DATA_DIR']) return null; // the file has set it, as dotenv does
  const found = raw.apps.map((app) => placeOf(app, raw.folder));
  if (!found.every((each) => each !== null)) return null;
  const chosen = found.filter(({ name }) => only === undefined || name === only);
  return chosen.length === 0 ? null : chosen.map(({ dataDir }) => dataDir);
}

function placeOf(app: unknown, folder: string): { name: string; dataDir: string } | null {
  const name = memberOf(app, 'name');
  const script = scriptNames.map((each) => memberOf(app, each)).find((each) => each !== undefined);
  const dataDir = memberOf(memberOf(app, 'quiesce'), 'data_dir');
  if (!isText(script) || !(name === undefined || isText(name)) || !(dataDir === undefined || isText(dataDir)))
    return null;
  const called = appName({ name, script });
  return {
    name: called,
    dataDir: dataDir === undefined ? dataPlace(called, folder, process.env).dataDir : path.resolve(folder, dataDir),
  };
}

/** As in `sortFields`: null is the same as not set. */
function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name] ?? undefined;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
