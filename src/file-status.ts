/**
 * Looks at what may be a pipe or a socket.
 *
 * In bigints: Node 20 (lib/fs.js, realpathSync) keeps the last status that was read as numbers, and while that is one of a
 * pipe or a socket it stops looking for links in the path of a module. A module that is reached through a link, as in
 * the node_modules of pnpm, is then loaded without its exports.
 */
import { fstatSync, lstatSync, type BigIntStats } from 'node:fs';

/** The status of the file itself, not of what a link points to; undefined if there is none. */
export function statusOf(file: string): BigIntStats | undefined {
  return lstatSync(file, { bigint: true, throwIfNoEntry: false });
}

export function statusOfDescriptor(fd: number): BigIntStats {
  return fstatSync(fd, { bigint: true });
}
