/** `quiesce startup`: prints a file that runs the app at boot. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { dockerfile } from './docker.ts';
import { ownerOf, startupPlan, type StartupPlan } from './plan.ts';
import { pm2Config } from './pm2.ts';
import { socketUnit } from './socket.ts';
import { systemdUnit } from './systemd.ts';
import { say, warn } from '../output.ts';
import { workingFolder } from '../../config/data-place.ts';
import { loadConfig } from '../../config/load.ts';
import { QuiesceError } from '../../errors.ts';

export type StartupKind = 'systemd' | 'pm2' | 'docker';

export interface StartupOptions {
  readonly only?: string;
  readonly env?: string;
  readonly user?: string;
  readonly dataDir?: string;
  /** The socket unit in place of the service; an address, or true for where the configuration says that the app listens. */
  readonly socket?: string | true;
}

/** Prints the file to standard output, and instructions and open points to standard error. */
export async function startup(kind: StartupKind, file: string | undefined, options: StartupOptions): Promise<void> {
  const { socket } = options;
  if (socket !== undefined && kind !== 'systemd')
    throw new QuiesceError('bad-usage', `--socket is for systemd: quiesce startup systemd --socket, not ${kind}.`);
  const all = await loadConfig(file);
  const dataDir = options.dataDir === undefined ? null : path.resolve(workingFolder(), options.dataDir);
  const { apps, warnings } = await loadConfig(file, {
    ...(dataDir === null ? {} : { dataDir }),
    ...(options.only === undefined ? {} : { only: options.only }),
    ...(options.env === undefined ? {} : { envName: options.env }),
  });
  const [app, ...others] = apps;
  if (app === undefined || others.length > 0) {
    const names = apps.map(({ name }) => name).join(', ');
    throw new QuiesceError('bad-usage', `One for each app: choose ${names} with --only.`);
  }
  for (const warning of warnings) warn(warning);
  const plan = startupPlan({
    app,
    file: all.file ?? app.script,
    several: all.apps.length > 1,
    envName: options.env,
    dataDir,
  });
  switch (kind) {
    case 'systemd': {
      if (socket !== undefined) {
        printSocket(plan, socket === true ? null : socket);
        break;
      }
      const owner = userNameOf(ownerOf(app.cwd));
      // If root owns the files, the app still does not have to run as root.
      process.stdout.write(systemdUnit(plan, { user: options.user ?? (owner === 'root' ? null : owner) }));
      say(
        `Save it as /etc/systemd/system/${app.name}.service, then: systemctl daemon-reload && systemctl enable --now ${app.name}`,
      );
      break;
    }
    case 'pm2':
      process.stdout.write(pm2Config(plan));
      break;
    case 'docker':
      process.stdout.write(dockerfile(plan));
      break;
  }
}

function printSocket(plan: StartupPlan, address: string | null): void {
  const { name } = plan.app;
  const { unit, isAssumed } = socketUnit(plan, address);
  process.stdout.write(unit);
  if (isAssumed)
    warn(
      'HOST is not set, and this is where listen() of quiesce listens then. If the app listens on every address, as app.listen(port) does, give the port: --socket 3000.',
    );
  say(
    `Save it as /etc/systemd/system/${name}.socket, beside ${name}.service, then: systemctl stop ${name}; systemctl daemon-reload && systemctl enable --now ${name}.socket ${name}.service`,
  );
}

/** Returns null if the uid has no name: the unit then gets its own user. */
function userNameOf(uid: number): string | null {
  try {
    const line = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((entry) => entry.split(':')[2] === String(uid));
    return line?.split(':')[0] ?? null;
  } catch {
    return null;
  }
}
