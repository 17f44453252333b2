/**
 * Sockets that a service manager passes to `quiesce start`, as in sd_listen_fds(3). The keeper only passes them on to
 * each primary that it starts. As long as the keeper lives, connections wait in their queues.
 */

/** The first passed descriptor, SD_LISTEN_FDS_START. */
const first = 3;

/**
 * The names of the sockets passed to this process, in their order. Removes the variables that describe them from `env`.
 */
export function passedSockets(env: NodeJS.ProcessEnv, pid: number): string[] {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES } = env;
  for (const name of ['LISTEN_PID', 'LISTEN_PIDFDID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete env[name];
  const count = Number(LISTEN_FDS);
  // Another pid means that the sockets are for a process between the service manager and this one.
  if (Number(LISTEN_PID) !== pid || !Number.isInteger(count) || count < 1) return [];
  const names = LISTEN_FDNAMES?.split(':') ?? [];
  return Array.from({ length: count }, (_, index) => names[index] || 'unknown');
}

/** The descriptors of these sockets, for `stdio` of a child process. */
export function descriptorsOf({ length }: readonly string[]): number[] {
  return Array.from({ length }, (_, index) => first + index);
}
