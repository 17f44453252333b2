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
 * Runs `install` unless what it installs is `present`. Of several processes one installs and the others wait;
 * `install` has to bring its result about in one step (a rename, say), so that what is present is complete.
 */
export async function installOnce(
  name: string,
  present: () => Promise<boolean>,
  install: () => Promise<void>,
  log: (line: string) => void,
): Promise<void> {
  if (await present()) return;
  const release = await lockInstall(name, log);
  try {
    if (!(await present())) await install();
  } finally {
    await release();
  }
}

async function lockInstall(name: string, log: (line: string) => void): Promise<() => Promise<void>> {
  await mkdir(cacheDir(), { recursive: true });
  const options = { lockfilePath: cacheDir(`${name}.lock`), stale: 15_000 };
  try {
    return await lockfile.lock(cacheDir(), options);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ELOCKED')) throw error;
  }
  log(`waiting for another process to install ${name} …`);
  // An install takes minutes at worst, on a slow line; a holder that died is replaced once its lock is stale.
  return lockfile.lock(cacheDir(), {
    ...options,
    retries: { retries: 1200, factor: 1, minTimeout: 500, maxTimeout: 500 },
  });
}
