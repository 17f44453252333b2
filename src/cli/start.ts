/** `quiesce start`: runs an app as its primary. */
import path from 'node:path';
import { warn } from './output.ts';
import { workingFolder } from '../config/data-place.ts';
import { loadConfig } from '../config/load.ts';
import { undoing, type Origin } from '../config/origin.ts';
import { exitCodes, QuiesceError, toQuiesceError } from '../errors.ts';
import { stopWithNpx } from '../keeper/npx.ts';
import { passedSockets } from '../keeper/passed-sockets.ts';
import { KeeperLink } from '../primary/kept/link.ts';
import { keepSignals } from '../primary/signals.ts';

export interface StartOptions {
  readonly only?: string;
  readonly env?: string;
  readonly instances?: string;
  readonly port?: string;
  readonly adminPort?: string;
  readonly dataDir?: string;
  /** Whether a keeper keeps the sockets, and starts the next primary if this one dies. */
  readonly keeper: boolean;
}

/** Runs until the app is stopped. */
export async function start(file: string | undefined, options: StartOptions): Promise<number> {
  keepSignals();
  const keeper = KeeperLink.join();
  if (keeper === null) stopWithNpx();
  try {
    const { names, warning } = passedSockets(process.env, process.pid);
    if (warning !== null) warn(warning);
    if (names.length > 0 && keeper === null) throw withoutKeeper();
    const code = await run(file, options, keeper);
    keeper?.send({ type: 'ending' });
    return code;
  } catch (error) {
    const { code, message } = toQuiesceError(error);
    // An unexpected error counts as a crash: the keeper then starts a new primary.
    if (code !== 'internal') keeper?.send({ type: 'ending', error: { code, message } });
    throw error;
  }
}

function withoutKeeper(): QuiesceError {
  const what =
    'The service manager passes sockets to the app (LISTEN_FDS), and only `quiesce start` with its keeper takes them.';
  return new QuiesceError('bad-usage', `${what} Leave --no-keeper out, or remove Sockets= from the unit.`);
}

async function run(file: string | undefined, options: StartOptions, keeper: KeeperLink | null): Promise<number> {
  const { refuseWorkers, start: startSite } = await import('../run.ts');
  refuseWorkers();
  const { env, keeper: _keeper, ...rest } = options;
  const origin: Origin = {
    file,
    options: {
      ...rest,
      ...(env === undefined ? {} : { envName: env }),
      folder: workingFolder(),
      launched: keeper?.isOneOfSeveral ?? false,
    },
    env: { ...process.env },
    argv: [...process.argv],
  };
  const { apps, warnings } = await loadConfig(file, origin.options);
  for (const warning of warnings) warn(warning);
  const [app, ...others] = apps;
  if (app !== undefined && others.length === 0) {
    return startSite(app, { keeper, origin, inherited: undoing(origin.env, process.env) }).over;
  }
  if (keeper === null)
    throw new QuiesceError(
      'bad-usage',
      `Several apps (${apps.map(({ name }) => name).join(', ')}) need the keeper, which starts a primary for each. Start one of them with --only, or leave --no-keeper out.`,
    );
  if ((await keeper.begun).beside)
    throw new QuiesceError(
      'bad-config',
      `The configuration has several apps by now (${apps.map(({ name }) => name).join(', ')}), and each needs a primary of its own. Stop the site and start it again.`,
    );
  const common = [
    ...(file === undefined ? [] : [path.resolve(workingFolder(), file)]),
    ...(env === undefined ? [] : ['--env', env]),
    ...(options.instances === undefined ? [] : [`--instances=${options.instances}`]),
  ];
  keeper.send({
    type: 'apps',
    apps: apps.map(({ name, dataDir }) => ({ name, args: [...common, '--only', name, '--data-dir', dataDir] })),
  });
  return exitCodes.done;
}
