/**
 * Finds this package's own files. A primary runs for months, and its release may be removed meanwhile: the next worker,
 * or the next mirror thread, then starts from the same file of the current release, if that has the same version of
 * quiesce.
 */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { version } from './version.ts';

/** The folder of the package, as it was loaded. */
const root = fileURLToPath(new URL('..', import.meta.url));

interface Release {
  /** The folder that `name` pointed to at the start, such as `/srv/shop/releases/1`. */
  readonly folder: string;
  /** The common name of all releases, such as `/srv/shop/current`. */
  readonly name: string;
}
let release: Release | null = null;

/** @param given a folder of the app, by the name that deployments switch, such as `/srv/shop/current/api` */
export function startedFrom(given: string): void {
  let name = path.resolve(given);
  let folder = realpathSync(name);
  while (path.basename(name) === path.basename(folder) && path.dirname(name) !== name) {
    name = path.dirname(name);
    folder = path.dirname(folder);
  }
  release = { folder, name };
}

/** Returns the path of the file that stays the same in every release, if there is one. */
export function lastingName(file: string): string {
  const inside = release === null ? '..' : path.relative(release.folder, file);
  return release === null || inside.startsWith('..') ? file : path.join(release.name, inside);
}

/** @throws Error if the file is gone and no release has replaced it */
export function ownFile(url: URL): string {
  const file = fileURLToPath(url);
  if (existsSync(file)) return file;
  const successor = lastingName(file);
  const found = existsSync(successor) ? versionOf(lastingName(root)) : undefined;
  if (found === version) return successor;
  const instead = found === undefined ? '' : `, and ${lastingName(root)} is version ${found}`;
  throw new Error(
    `${file} was removed, and quiesce ${version} cannot go on without it${instead}. Start quiesce anew from the release that is there`,
  );
}

function versionOf(folder: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as { version: string }).version;
  } catch {
    return undefined;
  }
}
