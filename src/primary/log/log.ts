/**
 * The log of a primary: JSON lines on stdout (something for people on a terminal), and in the data directory for
 * `quiesce logs`. Writing never waits: where stdout or the disk is too slow for too long, lines are dropped and counted.
 */
import { isatty } from 'node:tty';
import pino, { type Logger } from 'pino';
import pretty from 'pino-pretty';
import { lineForPeople } from './line-for-people.ts';
import { logFile } from './log-file.ts';
import { withoutCredentials } from './redaction.ts';
import { logLevelOf } from '../../config/log-level.ts';

export interface OpenLog {
  readonly logger: Logger;
  /** From now on each line also goes there. */
  alsoTo(destination: pino.DestinationStream): void;
  /** From now on also into `quiesce.log` of this folder. For the holder of its lock only. */
  keepIn(dataDir: string): void;
  /** Resolves when the file is complete; stdout is written to its end when the process exits. */
  close(): Promise<void>;
}

/** What may wait to be written to stdout, bytes. */
const maxWaiting = 16 * 1024 * 1024;

/** `LOG_LEVEL` and `NO_COLOR` of the environment are heeded. */
export function openLog(name: string): OpenLog {
  // Not `process.stdout.isTTY`: process.stdout, once touched, makes a pipe non-blocking, and writes to a full one slow.
  const stdout = isatty(1) ? forPeople() : forMachines((lines) => dropped(lines));
  const streams = pino.multistream([{ stream: stdout, level: 'trace' }]);
  const level = logLevelOf(process.env) ?? 'info';
  const logger = pino({ name, level, hooks: { streamWrite: withoutCredentials } }, streams);
  const dropped = (lines: number): void => logger.warn({ lines }, 'log lines were dropped: stdout is read too slowly');
  let closeFile = (): Promise<void> => Promise.resolve();
  return {
    logger,
    alsoTo: (destination) => void streams.add({ stream: destination, level: 'trace' }),
    keepIn(dataDir) {
      const file = logFile(dataDir, (problem) => logger.warn({ err: problem }, 'the log file cannot be written'));
      closeFile = () => file.close();
      streams.add({ stream: file, level: 'trace' });
    },
    close: () => closeFile(),
  };
}

function forPeople(): pino.DestinationStream {
  return pretty({ ...lineForPeople, translateTime: 'SYS:HH:MM:ss.l', colorize: !process.env['NO_COLOR'] });
}

function forMachines(onDropped: (lines: number) => void): pino.DestinationStream {
  const stdout = pino.destination({ dest: 1, sync: false, maxLength: maxWaiting });
  let lines = 0;
  stdout.on('drop', () => lines++);
  stdout.on('drain', () => {
    if (lines === 0) return;
    const count = lines;
    lines = 0;
    onDropped(count);
  });
  return stdout;
}
