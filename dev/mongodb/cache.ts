/** The per-user cache that downloads, the Wine prefix and the records of running servers live in. */
import { access, mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import lockfile from 'proper-lockfile';

/** `$XDG_CACHE_HOME/quiesce`, by default `~/.cache/quiesce` (XDG Base Directory Specification). */
export function cacheDir(...parts: string[]): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'quiesce', ...parts);
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/**
 * Runs `install` unless `path` exists already. Of several processes one installs and the others wait for it;
 * `install` has to bring `path` about in one step (a rename), so that what exists is complete.
 */
export async function installOnce(path: string, install: () => Promise<void>): Promise<void> {
  if (await exists(path)) return;
  await mkdir(cacheDir(), { recursive: true });
  const release = await lockfile.lock(cacheDir(), {
    lockfilePath: `${path}.lock`,
    // An install takes minutes at worst, on a slow line; a holder that died is replaced after `stale`.
    stale: 15_000,
    retries: { retries: 1200, factor: 1, minTimeout: 500, maxTimeout: 500 },
  });
  try {
    if (!(await exists(path))) await install();
  } finally {
    await release();
  }
}
