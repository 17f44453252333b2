/** Which configuration is used where none is named. */
import { existsSync } from 'node:fs';
import path from 'node:path';

/** The default files, in this order; the first that exists is used. */
export const defaultFiles = [
  'ecosystem.config.js',
  'ecosystem.config.mjs',
  'ecosystem.config.cjs',
  'ecosystem.config.json',
] as const;

export function findDefaultFile(folder: string): string | undefined {
  return defaultFiles.map((name) => path.join(folder, name)).find((file) => existsSync(file));
}
