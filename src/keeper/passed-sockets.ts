/**
 * Sockets that a service manager passes to `quiesce start`, sd_listen_fds(3). The keeper does nothing with them: it passes
 * them on to each primary that it starts, and as long as it lives, connections wait in their queues.
 */

/** The first one, SD_LISTEN_FDS_START. */
const first = 3;

/** The names of the sockets that are passed to this process, in their order. Takes what says so out of `env`. */
export function passedSockets(env: NodeJS.ProcessEnv, pid: number): string[] {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES } = env;
  for (const name of ['LISTEN_PID', 'LISTEN_PIDFDID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete env[name];
  const count = Number(LISTEN_FDS);
  // With another pid they were meant for a process between the service manager and this one.
  if (Number(LISTEN_PID) !== pid || !Number.isInteger(count) || count < 1) return [];
  const names = LISTEN_FDNAMES?.split(':') ?? [];
  return Array.from({ length: count }, (_, index) => names[index] || 'unknown');
}

/** The descriptors of so many, for `stdio` of a child process. */
export function descriptorsOf({ length }: readonly string[]): number[] {
  return Array.from({ length }, (_, index) => first + index);
}
