/**
 * Standard output for the log. Writing never waits, and a slow or missing reader does not keep the process from
 * ending. On a pipe or a socket not even a write in Node's thread pool may wait, since a process waits for these writes
 * before it ends.
 */
import type { EventEmitter } from 'node:events';
import { constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import type { DestinationStream } from 'pino';
import sonic from 'sonic-boom';
import { statusOfDescriptor } from '../../file-status.ts';
import { sayOnStderr, tellOnStderr } from './unwritable.ts';

/** How much may wait to be written, bytes. */
const maxWaiting = 16 * 1024 * 1024;

/** How long a slow reader has at the end, ms. */
const lastReading = 3_000;

export interface Stdout extends DestinationStream {
  /** Resolves when everything is written, or given up. */
  drained(): Promise<void>;
}

/** @param onDropped called with the number of dropped lines when there is room again */
export function openStdout(onDropped: (lines: number) => void): Stdout {
  const stdout = statusOfDescriptor(1);
  return stdout.isFIFO() || stdout.isSocket() ? toReader(onDropped) : toFile(onDropped);
}

function toReader(onDropped: (lines: number) => void): Stdout {
  const stdout = new Socket({ fd: nonBlocking(), readable: false, writable: true });
  const dropped = countDrops(stdout, onDropped);
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    // The reader is gone, as with `quiesce start | head`: not worth a message.
    if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') tellOnStderr('stdout', error);
  });
  return {
    write(line) {
      if (stdout.destroyed) return;
      if (stdout.writableLength < maxWaiting) stdout.write(line);
      else dropped();
    },
    drained: () =>
      new Promise((resolve) => {
        if (stdout.destroyed) return resolve();
        const timer = setTimeout(() => {
          sayOnStderr(`the end of the log is not on stdout: nobody has read it for ${lastReading / 1000} s.`);
          stdout.destroy();
        }, lastReading);
        stdout.write('', () => {
          clearTimeout(timer);
          resolve();
        });
      }),
  };
}

/** Returns a function that counts one dropped line; `onDropped` gets the count when there is room again. */
function countDrops(stdout: EventEmitter, onDropped: (lines: number) => void): () => void {
  let dropped = 0;
  stdout.on('drain', () => {
    if (dropped === 0) return;
    const lines = dropped;
    dropped = 0;
    onDropped(lines);
  });
  return () => void dropped++;
}

/** Opens stdout once more, if possible: other processes that share this pipe keep a blocking one. */
function nonBlocking(): number {
  try {
    return openSync('/proc/self/fd/1', constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return 1; // a socket, or no Linux
  }
}

/**
 * Not `pino.destination`: an error other than EPIPE would end the process, and its flush at exit would try for ever. A
 * failed write is repeated with the next line.
 */
function toFile(onDropped: (lines: number) => void): Stdout {
  const stdout = new sonic.SonicBoom({ fd: 1, sync: false, maxLength: maxWaiting });
  let failed = false;
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (!failed) tellOnStderr('stdout', error);
    failed = true;
  });
  stdout.on('drain', () => (failed = false));
  stdout.on('drop', countDrops(stdout, onDropped));
  process.once('exit', () => {
    if (!failed) stdout.flushSync();
  });
  return {
    write: (line) => void stdout.write(line),
    drained: () => Promise.resolve(), // a write that waits for a file keeps the process alive
  };
}
