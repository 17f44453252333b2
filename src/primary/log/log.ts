/**
 * The log of a primary: JSON lines on stdout (something for people on a terminal), and in the data directory for
 * `quiesce logs`. Writing never waits: where stdout or the disk is too slow for too long, lines are dropped and counted.
 */
import { join } from 'node:path';
import { isatty } from 'node:tty';
import pino, { type Logger } from 'pino';
import sonic from 'sonic-boom';
import { lineForPeople } from './line-for-people.ts';
import { logFile, logFileName } from './log-file.ts';
import { withoutCredentials } from './redaction.ts';
import { tellOnStderr } from './unwritable.ts';
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
export async function openLog(name: string): Promise<OpenLog> {
  // Not `process.stdout.isTTY`: process.stdout, once touched, makes a pipe non-blocking, and writes to a full one slow.
  const stdout = isatty(1) ? await forPeople() : forMachines((lines) => dropped(lines));
  const streams = pino.multistream([{ stream: stdout, level: 'trace' }]);
  const level = logLevelOf(process.env) ?? 'info';
  const logger = pino({ name, level, hooks: { streamWrite: withoutCredentials } }, streams);
  const dropped = (lines: number): void => logger.warn({ lines }, 'log lines were dropped: stdout is read too slowly');
  let closeFile = (): Promise<void> => Promise.resolve();
  return {
    logger,
    alsoTo: (destination) => void streams.add({ stream: destination, level: 'trace' }),
    keepIn(dataDir) {
      const file = logFile(dataDir, (problem) => {
        tellOnStderr(join(dataDir, logFileName), problem);
        logger.warn({ err: problem }, 'the log file cannot be written');
      });
      closeFile = () => file.close();
      streams.add({ stream: file, level: 'trace' });
    },
    close: () => closeFile(),
  };
}

async function forPeople(): Promise<pino.DestinationStream> {
  const { default: pretty } = await import('pino-pretty');
  return pretty({ ...lineForPeople, translateTime: 'SYS:HH:MM:ss.l', colorize: !process.env['NO_COLOR'] });
}

/**
 * Not `pino.destination`: what it does at an error other than EPIPE ends the process, and the flush that it makes at the
 * exit would try for ever. A write that failed is tried again with the next line.
 */
function forMachines(onDropped: (lines: number) => void): pino.DestinationStream {
  const stdout = new sonic.SonicBoom({ fd: 1, sync: false, maxLength: maxWaiting });
  let lines = 0;
  let failed = false;
  let gone = false;
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    gone ||= error.code === 'EPIPE'; // nobody reads it any more, as under `quiesce start | head`
    if (!failed && !gone) tellOnStderr('stdout', error);
    failed = true;
  });
  stdout.on('drop', () => lines++);
  stdout.on('drain', () => {
    failed = false;
    if (lines === 0) return;
    const count = lines;
    lines = 0;
    onDropped(count);
  });
  process.once('exit', () => {
    if (!failed) stdout.flushSync();
  });
  return { write: (line) => void (gone || stdout.write(line)) };
}
