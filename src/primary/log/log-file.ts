/**
 * `quiesce.log` in the data directory: JSON lines, rotated to `quiesce.log.1` and on, private to its user.
 *
 * written ⇄ failed: the stream has ended with its first error, lines are dropped, and from time to time one of them
 * tries a new stream.
 */
import { isHeld } from '../data-dir/durable.ts';
import { createStream, type RotatingFileStream } from 'rotating-file-stream';

export const logFileName = 'quiesce.log';
/** Beside the one that is written. */
export const rotatedFiles = 5;
const size = '10M';
/** What may wait for the disk, bytes. */
const maxWaiting = 16 * 1024 * 1024;
/** How long it is left alone after a failure, ms. */
const defaultPatience = 1_000;

export interface LogFile {
  write(line: string): void;
  reopen(): void;
  close(): Promise<void>;
}

/** @param onProblem called at the first of a row of failures; the log goes on without the file meanwhile */
export function logFile(dataDir: string, onProblem: (error: Error) => void, patience = defaultPatience): LogFile {
  const name = (index: number | Date | null): string =>
    index === null ? logFileName : `${logFileName}.${Number(index)}`;
  let failed = false;
  let tryAgainAt = 0;
  const fail = (error: Error): void => {
    tryAgainAt = performance.now() + patience;
    if (!failed) {
      failed = true; // before it is told: telling writes here again
      onProblem(error);
    }
  };
  const open = (): RotatingFileStream => {
    const opened = createStream(name, { path: dataDir, size, rotate: rotatedFiles, mode: 0o600 });
    return opened.on('error', fail).on('warning', fail);
  };
  let stream = open();
  return {
    write(line) {
      if (!isHeld(dataDir)) return; // it is the successor's
      if (stream.destroyed) {
        if (performance.now() < tryAgainAt) return;
        stream = open();
        // The last line may have been cut short.
        stream.write(`\n${line}`, (error) => {
          if (!error) failed = false;
        });
      } else if (stream.writableLength < maxWaiting) stream.write(line);
    },
    reopen() {
      stream.end();
      stream = open();
    },
    close: () =>
      new Promise((resolve) => {
        if (stream.destroyed) return resolve();
        stream.once('close', resolve).once('finish', resolve);
        stream.end();
      }),
  };
}
