/** The private folder of one app: lock, control socket, token, journal, spooled feeds. */
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { QuiesceError } from '../../errors.ts';

/** Any of these shows that a folder has been ours before. */
const ours = ['primary.lock', 'primary.json', 'control.sock', 'admin.token'];

/**
 * Makes the folder, or makes sure that it can be used: writable, ours and closed to everybody else (0700), with nothing in
 * it that somebody else could have put there: a token that is known, a socket, a feed to be mirrored, a link to a file
 * that would be overwritten. A folder that others can enter is closed only where it is empty or ours, so that a mistaken
 * `--data-dir /srv` locks nobody out.
 *
 * @throws QuiesceError `data-dir-unusable`
 */
export function prepareDataDir(folder: string): void {
  try {
    makeFolders(folder);
    syncParent(folder);
    const { mode, uid } = statSync(folder);
    const self = process.geteuid?.();
    if (self !== undefined && uid !== self) {
      throw new QuiesceError(
        'data-dir-unusable',
        `The data directory ${folder} belongs to the user with uid ${uid}, not to ${userName()}, so that nothing in it can be trusted. ` +
          `Name another with --data-dir, or give it away: chown -R ${self} ${folder}`,
      );
    }
    if ((mode & 0o022) !== 0 && (mode & 0o1000) === 0 && ofOurs(readdirSync(folder))) {
      throw new QuiesceError(
        'data-dir-unusable',
        `Other users could write to the data directory ${folder} (mode ${(mode & 0o7777).toString(8)}), and what is in it is mirrored and obeyed. ` +
          `Look what is in it, then close it: chmod 700 ${folder}`,
      );
    }
    if ((mode & 0o077) !== 0) {
      const content = readdirSync(folder);
      const safe = (mode & 0o1000) === 0 && (content.length === 0 || ofOurs(content));
      if (!safe) {
        throw new QuiesceError(
          'data-dir-unusable',
          `The data directory ${folder} holds other files and is open to other users (mode ${(mode & 0o7777).toString(8)}). ` +
            `Name a folder of its own with --data-dir, or close this one: chmod 700 ${folder}`,
        );
      }
      chmodSync(folder, 0o700);
    }
    if (self !== undefined) refuseForeign(folder, self);
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    if (cause instanceof QuiesceError) throw cause;
    throw new QuiesceError(
      'data-dir-unusable',
      `The data directory ${folder} cannot be used: ${(cause as Error).message}. Make it writable for ${userName()}, or name another with --data-dir.`,
      { cause },
    );
  }
}

function ofOurs(content: readonly string[]): boolean {
  return content.some((name) => ours.includes(name));
}

/** Each file below belongs to `self` and is no link; what a takeover of the lock leaves is a link that leads nowhere. */
function refuseForeign(folder: string, self: number): void {
  for (const name of readdirSync(folder)) {
    const file = path.join(folder, name);
    const found = lstatSync(file, { throwIfNoEntry: false }); // the primary that is there may just have removed it
    if (found === undefined || name.startsWith('takeover.')) continue;
    const what = found.isSymbolicLink() ? 'is a symbolic link' : `belongs to the user with uid ${found.uid}`;
    if (found.isSymbolicLink() || found.uid !== self) {
      throw new QuiesceError(
        'data-dir-unusable',
        `${file} ${what}, so that somebody else could have put it into the data directory. Look where it comes from, then remove it.`,
      );
    }
    if (found.isDirectory() && name !== 'primary.lock') refuseForeign(file, self); // its holder may just be removing it
  }
}

/** Not mkdir's own `recursive`, which never returns where a folder that exists says ENOENT, as /proc does. */
export function makeFolders(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false }) !== undefined) return;
  makeFolders(path.dirname(folder));
  syncParent(path.dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Somebody else made it meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Or a power cut may take the folder, and with it the journal that tells what is half done. */
function syncParent(folder: string): void {
  try {
    const parent = openSync(path.dirname(folder), 'r');
    try {
      fsyncSync(parent);
    } finally {
      closeSync(parent);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EINVAL') throw error; // not readable to us; not a disk, as /proc
  }
}

function userName(): string {
  return process.env['USER'] ?? `uid ${process.getuid?.() ?? '?'}`;
}
