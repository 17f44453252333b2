/**
 * Finds the default data directory of an app: a place that outlives every release and that every release finds. So it
 * is outside the tree that a deployment replaces. Its name comes from the configuration's folder as it was given,
 * without resolving symbolic links: `/srv/shop/current` is one app, whichever release it points to.
 */
import { accessSync, constants, readlinkSync, realpathSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

type Env = Readonly<Record<string, string | undefined>>;

/** Returns the working directory with the name that the shell uses, as `pwd` prints it. */
export function workingFolder(env: Env = process.env): string {
  const here = process.cwd();
  const logical = env['PWD'];
  return logical !== undefined && path.isAbsolute(logical) && real(logical) === here ? path.resolve(logical) : here;
}

/** Returns the name of an app of a configuration. */
export function appName({ name, script }: { readonly name?: string | undefined; readonly script: string }): string {
  return name ?? path.basename(script, path.extname(script));
}

/** Returns the name of an app in the file system. */
export function folderName(name: string): string {
  return name.replaceAll(/[^\w.-]/g, '-');
}

export interface DataPlace {
  readonly dataDir: string;
  /** `beside`: a data directory at the old place. `none`: no folder for state is writable for this user. */
  readonly kind: 'state' | 'beside' | 'none';
}

/** @param folder the folder of the configuration, or the folder in which a script was started, as it was given */
export function dataPlace(name: string, folder: string, env: Env): DataPlace {
  const beside = path.join(folder, '.quiesce', folderName(name));
  if (isFolder(beside)) return { dataDir: beside, kind: 'beside' };
  const state = stateFolder(folder, env);
  if (state === null) return { dataDir: beside, kind: 'none' };
  return { dataDir: path.join(state, folderName(name)), kind: 'state' };
}

/** Returns the folders that contain the data directories of the apps started from `folder`. */
export function dataPlaces(folder: string, env: Env): string[] {
  const state = stateFolder(folder, env);
  return [path.join(folder, '.quiesce'), ...(state === null ? [] : [state])];
}

/** Whether a deployment may replace `folder`. */
export function isSwitched(folder: string): boolean {
  return real(folder) !== folder || nameOfRelease(folder) !== folder;
}

function stateFolder(folder: string, env: Env): string | null {
  const root = stateRoot(env);
  if (root === null) return null;
  const known = nameOfRelease(folder);
  // The words are for people; the digest distinguishes two folders with the same words.
  const words = known.split(path.sep).filter(Boolean).slice(-2).map(folderName).join('-').slice(-40);
  // Loaded here, as it takes a while: a command that is given its data directory does without.
  const { createHash } = process.getBuiltinModule('node:crypto');
  const digest = createHash('sha256').update(known).digest('hex').slice(0, 10);
  return path.join(root, 'quiesce', `${words || 'root'}-${digest}`);
}

/**
 * The folder of a release counts as `current`, the common name of all releases: `/srv/shop/releases/7/api` becomes
 * `/srv/shop/current/api`. A service manager that enters `current` only knows the resolved folder of the release.
 */
function nameOfRelease(folder: string): string {
  const [, app, below = ''] = /^(.*)\/releases\/[^/]+(\/.*)?$/.exec(folder) ?? [];
  if (app === undefined) return folder;
  const current = path.join(app, 'current');
  try {
    // The target of the link may just have been removed, so only the folder above it is compared.
    const releases = path.dirname(path.resolve(app, readlinkSync(current)));
    return real(releases) === real(path.join(app, 'releases')) ? current + below : folder;
  } catch {
    return folder;
  }
}

/** Uses systemd's StateDirectory=, then the XDG Base Directory Specification. Returns null if none is writable. */
function stateRoot(env: Env): string | null {
  const roots = [env['STATE_DIRECTORY']?.split(':')[0], env['XDG_STATE_HOME'], below(homeOf(env), '.local/state')];
  return roots.find((root) => root !== undefined && path.isAbsolute(root) && canBeWritten(root)) ?? null;
}

/** With `sudo`, HOME may still be another user's folder, where root must not create files. */
function homeOf(env: Env): string | undefined {
  const home = env['HOME'];
  if (home && statSync(home, { throwIfNoEntry: false })?.uid === process.geteuid?.()) return home;
  try {
    return os.userInfo().homedir;
  } catch {
    return undefined; // a container may run as a user that is not in its user database
  }
}

function below(folder: string | undefined, name: string): string | undefined {
  return folder === undefined ? undefined : path.join(folder, name);
}

/**
 * Whether the folder is writable or, if it is missing, whether it can be created in the nearest existing folder above.
 */
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
