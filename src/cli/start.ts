import { say, styled } from './output.ts';
import { loadConfig } from '../config/load.ts';
import { QuiesceError } from '../errors.ts';

export interface StartOptions {
  readonly only?: string;
  readonly env?: string;
  readonly instances?: string;
  readonly port?: string;
  readonly dataDir?: string;
}

/** Runs until the app is stopped. */
export async function start(file: string | undefined, options: StartOptions): Promise<number> {
  const { env, ...rest } = options;
  const { apps, warnings } = await loadConfig(file, { ...rest, ...(env === undefined ? {} : { envName: env }) });
  for (const warning of warnings) say(`${styled('yellow', 'warning:', process.stderr)} ${warning}`);
  const [app, ...others] = apps;
  if (app === undefined || others.length > 0) {
    throw new QuiesceError(
      'bad-usage',
      `The file has several apps: ${apps.map(({ name }) => name).join(', ')}. Choose one with --only.`,
    );
  }
  const { runPrimary } = await import('../primary/main.ts');
  return runPrimary(app);
}
