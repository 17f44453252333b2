/**
 * Sockets that a service manager passes to `quiesce start`, as in sd_listen_fds(3). The keeper only passes them on to
 * each primary that it starts. As long as the keeper lives, connections wait in their queues.
 */
import { fstatSync } from 'node:fs';
import { QuiesceError } from '../errors.ts';

/** The first passed descriptor, SD_LISTEN_FDS_START. */
const first = 3;

export interface Passed {
  /** The names of the sockets that are passed to this process, in their order. */
  readonly names: readonly string[];
  /** Why sockets that the variables speak of are not used, or what is wrong with the variables. */
  readonly warning: string | null;
}

/**
 * The sockets that are passed to this process. Removes the variables that describe them from `env`.
 *
 * @throws QuiesceError `bad-usage` if one of the descriptors is no socket
 */
export function passedSockets(env: NodeJS.ProcessEnv, pid: number, isSocket = isOpenSocket): Passed {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES } = env;
  for (const name of ['LISTEN_PID', 'LISTEN_PIDFDID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete env[name];
  if (LISTEN_FDS === undefined || Number(LISTEN_FDS) === 0) return { names: [], warning: null };
  const unused = unusedBecause(LISTEN_FDS, LISTEN_PID, pid);
  if (unused !== null) return { names: [], warning: unused };
  const count = Number(LISTEN_FDS);
  for (let fd = first; fd < first + count; fd++) {
    if (isSocket(fd)) continue;
    const what = `The service manager says that it passes ${count} sockets (LISTEN_FDS), from descriptor ${first} on`;
    const remedy = 'Each one has to be the socket of a ListenStream= with Accept=no, as in sd_listen_fds(3)';
    throw new QuiesceError('bad-usage', `${what}, and descriptor ${fd} is not an open socket. ${remedy}.`);
  }
  const named = LISTEN_FDNAMES?.split(':') ?? [];
  const names = Array.from({ length: count }, (_, index) => named[index] || 'unknown');
  if (LISTEN_FDNAMES === undefined || named.length === count) return { names, warning: null };
  const what = `The number of names in LISTEN_FDNAMES (${named.length}) is not that of the sockets in LISTEN_FDS (${count})`;
  const warning = `${what}. The sockets are used, but messages may give them wrong names. Let both variables come from the service manager.`;
  return { names, warning };
}

/** `null` where the sockets are for this process. */
function unusedBecause(count: string, owner: string | undefined, pid: number): string | null {
  const because = (why: string, remedy: string): string =>
    `Sockets of a service manager are not used (LISTEN_FDS=${count}): ${why}. ${remedy}.`;
  if (owner === undefined)
    return because(
      'there is no LISTEN_PID, which says for which process they are',
      'Start quiesce from a unit with a .socket unit, or remove LISTEN_FDS from the environment',
    );
  if (Number(owner) !== pid)
    return because(
      `they are for process ${owner} (LISTEN_PID), and this is process ${pid}`,
      'If they are for this app, let ExecStart= call `quiesce start` itself, without npm, npx or a shell between; `quiesce startup systemd` prints such a unit. If not, remove these variables from the environment',
    );
  if (!/^\d+$/.test(count))
    return because('that is not a number of sockets', 'Let LISTEN_FDS come from the service manager, or remove it');
  return null;
}

function isOpenSocket(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket();
  } catch {
    return false; // not open
  }
}

/** The descriptors of these sockets, for `stdio` of a child process. */
export function descriptorsOf({ length }: readonly string[]): number[] {
  return Array.from({ length }, (_, index) => first + index);
}
