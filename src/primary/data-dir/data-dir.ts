/** The private folder of one app: lock, control socket, token, journal, spooled feeds. */
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

/** Any of these shows that a folder has been ours before. */
const ours = ['primary.lock', 'primary.json', 'control.sock', 'admin.token'];

/**
 * Makes the folder, or makes sure that it can be used: writable, and closed to everybody else (0700). A folder that
 * others can enter is closed only where it is empty or ours, so that a mistaken `--data-dir /srv` locks nobody out.
 *
 * @throws QuiesceError `data-dir-unusable`
 */
export function prepareDataDir(folder: string): void {
  try {
    makeFolders(folder);
    syncParent(folder);
    const mode = statSync(folder).mode;
    if ((mode & 0o077) !== 0) {
      const content = readdirSync(folder);
      const safe = (mode & 0o1000) === 0 && (content.length === 0 || content.some((name) => ours.includes(name)));
      if (!safe) {
        throw new QuiesceError(
          'data-dir-unusable',
          `The data directory ${folder} holds other files and is open to other users (mode ${(mode & 0o7777).toString(8)}). ` +
            `Name a folder of its own with --data-dir, or close this one: chmod 700 ${folder}`,
        );
      }
      chmodSync(folder, 0o700);
    }
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
