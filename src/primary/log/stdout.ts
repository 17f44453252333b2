/**
 * Standard output for JSON lines. Writing never waits, and nothing that is read too slowly, or by nobody, keeps the
 * process from its end: on a pipe or a socket not even a write in Node's thread pool may wait, since a process that
 * ends waits for these.
 */
import type { EventEmitter } from 'node:events';
import { constants, fstatSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import type { DestinationStream } from 'pino';
import sonic from 'sonic-boom';
import { sayOnStderr, tellOnStderr } from './unwritable.ts';

/** What may wait to be written, bytes. */
const maxWaiting = 16 * 1024 * 1024;

/** What a slow reader is given at the end, ms. */
const lastReading = 3_000;

export interface Stdout extends DestinationStream {
  /** Resolves when all has been written, or has been given up. */
  drained(): Promise<void>;
}

/** @param onDropped called with the number of lines when there is room again */
export function stdoutForMachines(onDropped: (lines: number) => void): Stdout {
  const stdout = fstatSync(1);
  return stdout.isFIFO() || stdout.isSocket() ? toReader(onDropped) : toFile(onDropped);
}

function toReader(onDropped: (lines: number) => void): Stdout {
  const stdout = new Socket({ fd: nonBlocking(), readable: false, writable: true });
  const dropped = countDrops(stdout, onDropped);
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    // Nobody reads it any more, as under `quiesce start | head`: no news.
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

/** Returns what counts a line that was dropped; `onDropped` is told of them when there is room again. */
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

/** A description of its own where there can be one: whoever else has this pipe goes on as before. */
function nonBlocking(): number {
  try {
    return openSync('/proc/self/fd/1', constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return 1; // a socket, or no Linux
  }
}

/**
 * Not `pino.destination`: what it does at an error other than EPIPE ends the process, and the flush that it makes at the
 * exit would try for ever. A write that failed is tried again with the next line.
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
    drained: () => Promise.resolve(), // what waits for a file keeps the process alive
  };
}
