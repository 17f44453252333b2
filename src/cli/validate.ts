/** `quiesce validate`: checks a configuration and describes each app. */
import { duration, print, printJson, size, styled, warn } from './output.ts';
import type { AppConfig } from '../config.ts';
import { loadConfig } from '../config/load.ts';
import { withoutPassword } from '../config/values/mongodb-uri.ts';
import { shownReceiver } from '../config/values/receivers.ts';
import { withoutSecrets } from '../config/settings/told.ts';
import { fleetSettings } from '../primary/fleet/lifecycle/settings.ts';
import { whyNotReplaceable } from '../primary/handover/replaceable.ts';
import { showMirrorKey } from '../protocol/feed/mirror-key.ts';
import { visibleLine } from '../protocol/visible.ts';

/** As `quiesce start` without --no-keeper. */
const kept = { canReplace: true, pid: process.pid };

export interface ValidateOptions {
  readonly env?: string;
  readonly only?: string;
  readonly json?: boolean;
  readonly dataDir?: string;
}

export async function validate(file: string | undefined, options: ValidateOptions): Promise<void> {
  const {
    apps,
    warnings,
    file: found,
  } = await loadConfig(file, {
    ...(options.env === undefined ? {} : { envName: options.env }),
    ...(options.only === undefined ? {} : { only: options.only }),
    ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }),
  });
  if (options.json) {
    printJson({ file: found, warnings, apps: apps.map(withoutSecrets) });
    return;
  }
  for (const warning of warnings) warn(warning);
  print(apps.map(describe).join('\n\n'));
}

function describe(app: AppConfig): string {
  const nothing = 'not set';
  const { killTimeout, answerTimeout } = fleetSettings(app);
  const whileAnswering = answerTimeout === killTimeout ? '' : `, or ${duration(answerTimeout)} while it answers`;
  const lines: [string, string][] = [
    ['runs', [app.script, ...app.args].join(' ')],
    ['in', app.cwd],
    ['workers', `${app.instances}${app.nodeArgs.length === 0 ? '' : `, node ${app.nodeArgs.join(' ')}`}`],
    ['port', app.env['PORT'] ?? 'the choice of the app'],
    ['variables', Object.keys(app.env).join(', ') || 'none'],
    [
      'memory',
      app.maxMemoryRestart === null ? 'not limited' : `a worker is replaced above ${size(app.maxMemoryRestart)}`,
    ],
    [
      'restarts',
      `at once; ever later for a worker that ends within ${duration(app.minUptime)} or more than ${app.maxRestarts} times a minute`,
    ],
    ['stopping', `killed after ${duration(killTimeout)}${whileAnswering}`],
    ['logs', [app.outFile, app.errorFile].filter((name) => name !== null).join(', ') || 'standard output'],
    ...(app.cronRestart === null ? [] : [['reloads', `at ${app.cronRestart}`] as [string, string]]),
    ['MongoDB', app.mongodb.uri === null ? nothing : withoutPassword(app.mongodb.uri)],
    [
      'mirror',
      `${app.sync.collection} by ${showMirrorKey(app.sync.key)}, ${app.sync.token === null ? 'from loopback only' : 'with a token'}, feeds up to ${size(app.sync.maxBytes)}`,
    ],
    [
      'a pause',
      `waits ${duration(app.maintenance.drainTimeout)} for requests in flight, then ${app.maintenance.onDrainTimeout === 'abort' ? 'gives up' : 'cuts them off'}`,
    ],
    [
      'new primary',
      whyNotReplaceable(kept, app)?.message ?? 'quiesce reload --primary replaces it while the site serves',
    ],
    ['admin', app.admin === null ? 'control socket only' : `http://${app.admin.host}:${app.admin.port}`],
    ...app.notify.map((receiver): [string, string] => ['notify', shownReceiver(receiver)]),
    ['data', app.dataDir],
  ];
  const width = Math.max(...lines.map(([label]) => label.length));
  return [
    styled('bold', visibleLine(app.name)),
    ...lines.map(([label, text]) => `  ${label.padEnd(width)}  ${visibleLine(text)}`),
  ].join('\n');
}
