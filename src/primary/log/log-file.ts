/**
 * `quiesce.log` in the data directory: JSON lines, rotated to `quiesce.log.1` and so on, readable by its user only.
 *
 * written ⇄ failed: the stream ends with its first error. Lines are then dropped, and from time to time one of them
 * opens a new stream.
 */
import { isHeld } from '../data-dir/durable.ts';
import { createStream, type RotatingFileStream } from 'rotating-file-stream';

export const logFileName = 'quiesce.log';
/** How many rotated files are kept besides the current one. */
export const rotatedFiles = 5;
const size = '10M';
/** How much may wait for the disk, bytes. */
const maxWaiting = 16 * 1024 * 1024;
/** How long to wait after a failure before the next attempt, ms. */
const defaultPatience = 1_000;

export interface LogFile {
  write(line: string): void;
  reopen(): void;
  close(): Promise<void>;
}

/** @param onProblem called at the first failure of a row; meanwhile the log goes on without the file */
export function logFile(dataDir: string, onProblem: (error: Error) => void, patience = defaultPatience): LogFile {
  const name = (index: number | Date | null): string =>
    index === null ? logFileName : `${logFileName}.${Number(index)}`;
  let failed = false;
  let tryAgainAt = 0;
  const fail = (error: Error): void => {
    tryAgainAt = performance.now() + patience;
    if (!failed) {
      failed = true; // set first: onProblem logs, so it calls write() again
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
      if (!isHeld(dataDir)) return; // the data directory has a new owner, and so has the file
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
