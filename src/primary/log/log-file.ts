/** `quiesce.log` in the data directory: JSON lines, rotated to `quiesce.log.1` and on, private to its user. */
import { createStream } from 'rotating-file-stream';

export const logFileName = 'quiesce.log';
/** Beside the one that is written. */
export const rotatedFiles = 5;
const size = '10M';
/** What may wait for the disk, bytes. */
const maxWaiting = 16 * 1024 * 1024;

export interface LogFile {
  write(line: string): void;
  close(): Promise<void>;
}

/** @param onProblem called at the first of a row of failures; the log goes on without the file meanwhile */
export function logFile(dataDir: string, onProblem: (error: Error) => void): LogFile {
  const name = (index: number | Date | null): string =>
    index === null ? logFileName : `${logFileName}.${Number(index)}`;
  const stream = createStream(name, { path: dataDir, size, rotate: rotatedFiles, mode: 0o600 });
  let failed = false;
  const fail = (error: Error): void => {
    if (!failed) {
      failed = true; // before it is told: telling writes here again
      onProblem(error);
    }
  };
  stream.on('error', fail).on('warning', fail);
  return {
    write(line) {
      if (!stream.destroyed && stream.writableLength < maxWaiting) stream.write(line);
    },
    close: () =>
      new Promise((resolve) => {
        if (stream.destroyed) return resolve();
        stream.once('close', resolve).once('finish', resolve);
        stream.end();
      }),
  };
}
