/** Writes a systemd unit for an app. */
import path from 'node:path';
import { startArguments, type StartupPlan } from './plan.ts';
import { inVain, QuiesceError } from '../../errors.ts';

export interface SystemdOptions {
  /** The user to run as; null for a dynamic user of systemd. */
  readonly user: string | null;
}

/** Escapes a word for `ExecStart=` and similar settings, systemd.service(5): quotes, specifiers and variables. */
function word(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w@%+=:,./-]+$/.test(escaped) ? escaped : `"${escaped}"`;
}

/** Escapes what takes the rest of its line: only specifiers need it, systemd.unit(5). */
export function plainText(text: string): string {
  return text.replaceAll('%', '%%');
}

const seconds = (ms: number): number => Math.ceil(ms / 1000);

/** @throws QuiesceError `bad-usage` for a data directory that the unit's user could not write to */
export function systemdUnit(plan: StartupPlan, { user }: SystemdOptions): string {
  const { app, node, main, stopTimeout, dataDir } = plan;
  if (dataDir !== null && user === null)
    throw new QuiesceError('bad-usage', `Name the user who owns ${dataDir} with --user: the unit's own owns nothing.`);
  const state = `quiesce/${app.name.replaceAll(/[^\w.-]/g, '-')}`;
  const command = [node, main, ...startArguments(plan)].map(word).join(' ');
  const control = (verb: string): string =>
    `${[node, main].map(word).join(' ')} ${verb} --data-dir ${dataDir === null ? `%S/${state}` : word(dataDir)}`;
  const writable = [app.outFile, app.errorFile].filter((file) => file !== null).map((file) => path.dirname(file));
  if (dataDir !== null) writable.push(dataDir);
  const inHome = [app.script, app.cwd, plan.file, node, main].some((file) =>
    /^\/(home|root|run\/user)\//.test(`${file}/`),
  );
  const lowPort = Number(app.env['PORT'] ?? 1024) < 1024;
  const capability = lowPort ? 'CAP_NET_BIND_SERVICE' : '';
  const lines = [
    '[Unit]',
    `Description=${app.name}, run by quiesce`,
    'Wants=network-online.target',
    'After=network-online.target',
    '# Tried again for as long as it takes: a database that is down comes back.',
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    '# The primary says when every worker serves, and lets the watchdog know that its event loop turns. It speaks through',
    '# systemd-notify, a child of its own.',
    'Type=notify',
    'NotifyAccess=all',
    'WatchdogSec=30',
    `ExecStart=${command}`,
    '# Ends when every worker has been replaced, and fails when a new one does not boot.',
    `ExecReload=${control('reload')}`,
    `WorkingDirectory=${plainText(app.cwd)}`,
    'Environment=NODE_ENV=production',
    `Environment=${dataDir === null ? `QUIESCE_DATA_DIR=%S/${state}` : word(`QUIESCE_DATA_DIR=${dataDir}`)}`,
    '# MONGODB_URI and QUIESCE_SYNC_TOKEN, in a file that only root can read.',
    `EnvironmentFile=-/etc/quiesce/${path.basename(state)}.env`,
    '',
    '# Not after `quiesce stop`.',
    'Restart=on-failure',
    'RestartSec=2',
    '# Wrong usage or configuration, or another primary: trying again does not help.',
    `RestartPreventExitStatus=${inVain.join(' ')}`,
    '# SIGTERM to the keeper alone, which passes it to the primary; what is left at the end of the time is killed.',
    'KillMode=mixed',
    `TimeoutStopSec=${seconds(stopTimeout)}`,
    'TimeoutStartSec=120',
    '# The kernel may kill a worker for its memory: the primary replaces it, the unit goes on.',
    'OOMPolicy=continue',
    'LimitNOFILE=65536',
    '',
    ...(user === null ? ['DynamicUser=yes'] : [`User=${user}`]),
    ...(dataDir === null ? [`StateDirectory=${state}`, 'StateDirectoryMode=0700'] : []),
    'UMask=0077',
    'NoNewPrivileges=yes',
    `CapabilityBoundingSet=${capability}`,
    `AmbientCapabilities=${capability}`,
    'ProtectSystem=strict',
    `ProtectHome=${inHome ? 'read-only' : 'yes'}`,
    ...(writable.length === 0 ? [] : [`ReadWritePaths=${[...new Set(writable)].map(word).join(' ')}`]),
    'PrivateTmp=yes',
    'PrivateDevices=yes',
    'ProtectClock=yes',
    'ProtectHostname=yes',
    'ProtectKernelLogs=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelTunables=yes',
    'ProtectControlGroups=yes',
    'ProtectProc=invisible',
    'RemoveIPC=yes',
    'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
    'RestrictNamespaces=yes',
    'RestrictRealtime=yes',
    'RestrictSUIDSGID=yes',
    'LockPersonality=yes',
    'SystemCallArchitectures=native',
    'SystemCallFilter=@system-service',
    'SystemCallFilter=~@privileged @resources',
    'SystemCallErrorNumber=EPERM',
    '# Not MemoryDenyWriteExecute: JavaScript is compiled while it runs.',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
  ];
  return `${lines.join('\n')}\n`;
}
