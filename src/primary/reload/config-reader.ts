/** Reads the configuration of this primary's app again, from where `start` read it. */
import type { Logger } from 'pino';
import type { AppConfig } from '../../config.ts';
import { readAgain, type Origin } from '../../config/origin.ts';
import { QuiesceError } from '../../errors.ts';

/**
 * @param started the configuration that the primary was started with, before its data directory got its real name
 * @param dataDir that real name
 */
export function configReader(
  origin: Origin,
  started: Pick<AppConfig, 'name' | 'dataDir'>,
  dataDir: string,
  log: Pick<Logger, 'warn'>,
): () => Promise<AppConfig> {
  return async () => {
    const { apps, warnings, file } = await readAgain(origin);
    for (const warning of warnings) log.warn(`${file}: ${warning}`);
    // If the file now describes several apps, this one must be among them; otherwise it is another file.
    const found = apps.length === 1 ? apps[0] : apps.find(({ name }) => name === started.name);
    if (found === undefined) {
      const names = apps.map(({ name }) => name).join(', ');
      throw new QuiesceError('bad-config', `${file} has no app called ${started.name} any more; it has ${names}.`);
    }
    return found.dataDir === started.dataDir ? { ...found, dataDir } : found;
  };
}
