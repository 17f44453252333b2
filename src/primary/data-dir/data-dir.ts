/** Makes and checks the private folder of one app: lock, control socket, token, journal, spooled feeds. */
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { QuiesceError } from '../../errors.ts';
import { statusOf } from '../../file-status.ts';

/** Any of these files shows that quiesce has used the folder before. */
const ours = ['primary.lock', 'primary.json', 'control.sock', 'admin.token'];

/**
 * Makes the folder, or checks that it can be used: it is writable, ours, and closed to all other users (0700), and it
 * contains nothing that another user could have put there: a token that they know, a socket, a feed to be mirrored, a
 * link to a file that would be overwritten. A folder that others can enter is closed only if it is empty or ours, so
 * that a mistaken `--data-dir /srv` locks nobody out.
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
        `Other users could write to the data directory ${folder} (mode ${(mode & 0o7777).toString(8)}), and its files are trusted, and feeds in it are mirrored. ` +
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

/** Each file below must belong to `self` and be no link, except the dangling link that a takeover of the lock makes. */
function refuseForeign(folder: string, self: number): void {
  for (const name of readdirSync(folder)) {
    const file = path.join(folder, name);
    const found = statusOf(file); // a running primary may be removing it
    if (found === undefined || name.startsWith('takeover.')) continue;
    const what = found.isSymbolicLink() ? 'is a symbolic link' : `belongs to the user with uid ${found.uid}`;
    if (found.isSymbolicLink() || found.uid !== BigInt(self)) {
      throw new QuiesceError(
        'data-dir-unusable',
        `${file} ${what}, so that somebody else could have put it into the data directory. Look where it comes from, then remove it.`,
      );
    }
    if (found.isDirectory() && name !== 'primary.lock') refuseForeign(file, self); // its holder may be removing it
  }
}

/** Not mkdir's own `recursive`: it never returns if an existing folder reports ENOENT, as /proc does. */
export function makeFolders(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false }) !== undefined) return;
  makeFolders(path.dirname(folder));
  syncParent(path.dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process made it in between.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Without it a power cut may remove the folder, and with it the journal that shows what is half done. */
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
    if (code !== 'EACCES' && code !== 'EINVAL') throw error; // the parent is not readable, or not on a disk, as /proc
  }
}

function userName(): string {
  return process.env['USER'] ?? `uid ${process.getuid?.() ?? '?'}`;
}
