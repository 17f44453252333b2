/**
 * Finds a path for the control socket. Paths of Unix sockets are short: 104 bytes on macOS and the BSDs, 108 on Linux,
 * NUL included. The path of a data directory may be longer, and Node cuts a longer path off without an error, so the
 * socket is then reached through a symbolic link.
 */
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const longest = 103;

/** The Unix socket through which commands reach a primary. */
export const controlSocket = (dataDir: string): string => path.join(dataDir, 'control.sock');

/** A path under which `socket` can be bound or connected to. Call `done` when that has happened. */
export function shortSocketPath(socket: string): { name: string; done: () => void } {
  if (Buffer.byteLength(socket) <= longest) return { name: socket, done: () => undefined };
  const folder = mkdtempSync(path.join(os.tmpdir(), 'quiesce-'));
  const done = (): void => rmSync(folder, { recursive: true, force: true });
  symlinkSync(path.dirname(socket), path.join(folder, 'd'));
  const name = path.join(folder, 'd', path.basename(socket));
  if (Buffer.byteLength(name) <= longest) return { name, done };
  done();
  throw new Error(
    `no short name can be made for the socket ${socket}: TMPDIR (${os.tmpdir()}) is too long too; set a shorter one`,
  );
}
