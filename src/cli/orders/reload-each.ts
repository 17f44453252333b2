/** `quiesce reload` for all apps that run from a folder. */
import path from 'node:path';
import { findDataDirs } from '../find-data-dir.ts';
import { say, warn } from '../output.ts';
import { reload, type ReloadOptions } from './rolling.ts';

/**
 * Reloads the apps that match, one after another in the order of their file. Stops at the first that fails, since the same
 * fault is often in all of them; the apps that are left keep what they have.
 */
export async function reloadEach(options: ReloadOptions): Promise<void> {
  const folders = await findDataDirs(options);
  const [first, ...others] = folders;
  if (first !== undefined && others.length === 0) return reload({ ...options, dataDir: first });
  const names = folders.map((folder) => path.basename(folder));
  for (const [index, dataDir] of folders.entries()) {
    say(`${names[index]} (${index + 1} of ${folders.length} apps)`);
    const left = names.slice(index + 1);
    try {
      await reload({ ...options, dataDir });
    } catch (error) {
      if (left.length > 0) warn(`${names[index]} failed, so these were not reloaded: ${left.join(', ')}`);
      throw error;
    }
  }
}
