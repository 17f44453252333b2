import cluster from 'node:cluster';
import path from 'node:path';
import { launch, stopWithLauncher, stopWithNpx } from './launcher.ts';
import { say, styled } from './output.ts';
import { workingFolder } from '../config/data-place.ts';
import { loadConfig } from '../config/load.ts';
import { undoing, type Origin } from '../config/origin.ts';
import { QuiesceError } from '../errors.ts';
import { keepSignals } from '../primary/signals.ts';

export interface StartOptions {
  readonly only?: string;
  readonly env?: string;
  readonly instances?: string;
  readonly port?: string;
  readonly adminPort?: string;
  readonly dataDir?: string;
}

/** Runs until the app is stopped. */
export async function start(file: string | undefined, options: StartOptions): Promise<number> {
  const launched = stopWithLauncher();
  stopWithNpx();
  keepSignals();
  if (cluster.isWorker) {
    throw new QuiesceError(
      'bad-usage',
      'This process is a cluster worker of another supervisor, and quiesce forks workers itself. Under PM2 run it in fork mode: `quiesce startup pm2` prints such a configuration.',
    );
  }
  const { env, ...rest } = options;
  const origin: Origin = {
    file,
    options: { ...rest, ...(env === undefined ? {} : { envName: env }), folder: workingFolder(), launched },
    env: { ...process.env },
    argv: [...process.argv],
  };
  const { apps, warnings } = await loadConfig(file, origin.options);
  for (const warning of warnings) say(`${styled('yellow', 'warning:', process.stderr)} ${warning}`);
  const [app, ...others] = apps;
  if (app !== undefined && others.length === 0) {
    const { runPrimary } = await import('../primary/main.ts');
    const inherited = undoing(origin.env, process.env);
    return runPrimary(app, {
      origin,
      inherited,
      more: async () => [(await import('../dashboard/routes.ts')).dashboard()],
    });
  }
  const common = [
    ...(file === undefined ? [] : [path.resolve(workingFolder(), file)]),
    ...(env === undefined ? [] : ['--env', env]),
    ...(options.instances === undefined ? [] : [`--instances=${options.instances}`]),
  ];
  return launch(
    apps.map(({ name, dataDir }) => ({ name, args: [...common, '--only', name, '--data-dir', dataDir] })),
    origin.env,
  );
}
