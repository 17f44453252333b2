/**
 * Where an app's data directory is when nobody names one: a place that outlives every release, and that every release
 * finds. So it lies outside the tree that a deployment replaces, and is known by the folder of the configuration as it was
 * given, without resolving symbolic links: `/srv/shop/current` is one app, whatever release it points to.
 */
import { createHash } from 'node:crypto';
import { accessSync, constants, readlinkSync, realpathSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

type Env = Readonly<Record<string, string | undefined>>;

/** The working directory under the name that the shell knows it by, as `pwd` prints it. */
export function workingFolder(env: Env = process.env): string {
  const here = process.cwd();
  const logical = env['PWD'];
  return logical !== undefined && path.isAbsolute(logical) && real(logical) === here ? path.resolve(logical) : here;
}

/** What an app is called in the file system. */
export function folderName(name: string): string {
  return name.replaceAll(/[^\w.-]/g, '-');
}

export interface DataPlace {
  readonly dataDir: string;
  /** `beside`: a data directory of old. `none`: there is no folder for state that this user can write to. */
  readonly kind: 'state' | 'beside' | 'none';
}

/** @param folder that of the configuration, or where a script was started, as it was given */
export function dataPlace(name: string, folder: string, env: Env): DataPlace {
  const beside = path.join(folder, '.quiesce', folderName(name));
  if (isFolder(beside)) return { dataDir: beside, kind: 'beside' };
  const state = stateFolder(folder, env);
  if (state === null) return { dataDir: beside, kind: 'none' };
  return { dataDir: path.join(state, folderName(name)), kind: 'state' };
}

/** The folders that hold the data directories of what was started from `folder`. */
export function dataPlaces(folder: string, env: Env): string[] {
  const state = stateFolder(folder, env);
  return [path.join(folder, '.quiesce'), ...(state === null ? [] : [state])];
}

/** Whether a deployment could make `folder` another one. */
export function isSwitched(folder: string): boolean {
  return real(folder) !== folder || nameOfRelease(folder) !== folder;
}

function stateFolder(folder: string, env: Env): string | null {
  const root = stateRoot(env);
  if (root === null) return null;
  const known = nameOfRelease(folder);
  // People read the words, the digest tells two of the same name apart.
  const words = known.split(path.sep).filter(Boolean).slice(-2).map(folderName).join('-').slice(-40);
  const digest = createHash('sha256').update(known).digest('hex').slice(0, 10);
  return path.join(root, 'quiesce', `${words || 'root'}-${digest}`);
}

/**
 * A release's own folder stands for `current`, which every release is known by: `/srv/shop/releases/7/api` counts as
 * `/srv/shop/current/api`. A service manager that enters `current` finds itself in the release, and knows no better.
 */
function nameOfRelease(folder: string): string {
  const [, app, below = ''] = /^(.*)\/releases\/[^/]+(\/.*)?$/.exec(folder) ?? [];
  if (app === undefined) return folder;
  const current = path.join(app, 'current');
  try {
    // Its target may just have been removed, so only the folder above it is looked at.
    const releases = path.dirname(path.resolve(app, readlinkSync(current)));
    return real(releases) === real(path.join(app, 'releases')) ? current + below : folder;
  } catch {
    return folder;
  }
}

/** systemd's StateDirectory=, then as the XDG Base Directory Specification has it. Null where none can be written to. */
function stateRoot(env: Env): string | null {
  const roots = [env['STATE_DIRECTORY']?.split(':')[0], env['XDG_STATE_HOME'], below(homeOf(env), '.local/state')];
  return roots.find((root) => root !== undefined && path.isAbsolute(root) && canBeWritten(root)) ?? null;
}

/** `sudo` may leave HOME to be that of somebody else, whose files would then be root's. */
function homeOf(env: Env): string | undefined {
  const home = env['HOME'];
  if (home && statSync(home, { throwIfNoEntry: false })?.uid === process.geteuid?.()) return home;
  try {
    return os.userInfo().homedir;
  } catch {
    return undefined; // a container may run as a user whom no file knows
  }
}

function below(folder: string | undefined, name: string): string | undefined {
  return folder === undefined ? undefined : path.join(folder, name);
}

/** Or made: what is missing is made where the nearest folder above allows it. */
function canBeWritten(folder: string): boolean {
  for (let here = folder; ; here = path.dirname(here)) {
    try {
      accessSync(here, constants.W_OK | constants.X_OK);
      return isFolder(here);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || path.dirname(here) === here) return false;
    }
  }
}

function isFolder(file: string): boolean {
  try {
    return statSync(file).isDirectory();
  } catch {
    return false;
  }
}

function real(file: string): string | undefined {
  try {
    return realpathSync(file);
  } catch {
    return undefined;
  }
}
