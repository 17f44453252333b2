/**
 * The log of a primary: JSON lines on stdout (formatted for people on a terminal), and in the data directory for
 * `quiesce logs`. Writing never waits: if stdout or the disk is too slow for too long, lines are dropped; those for
 * stdout are counted.
 */
import { join } from 'node:path';
import { isatty } from 'node:tty';
import pino, { type Logger } from 'pino';
import { logFile, logFileName, type LogFile } from './log-file.ts';
import { withoutCredentials } from './redaction.ts';
import { openStdout, type Stdout } from './stdout.ts';
import { tellOnStderr } from './unwritable.ts';
import { logLevelOf } from '../../config/values/log-level.ts';

export interface OpenLog {
  readonly logger: Logger;
  /** From now on each line also goes there. */
  alsoTo(destination: pino.DestinationStream): void;
  /**
   * From now on each line also goes to `quiesce.log` in this folder. Only the holder of the folder's lock may call it.
   */
  keepIn(dataDir: string): void;
  /** Opens the file again after it was removed. */
  reopen(): void;
  /** Resolves when the file is complete. */
  close(): Promise<void>;
  /** Resolves when everything is written to stdout, or its reader has taken too long. */
  drained(): Promise<void>;
}

/**
 * Reads `LOG_LEVEL` and `NO_COLOR` from the environment.
 *
 * @param toStdout where it does not go there, lines before `keepIn` are lost
 */
export async function openLog(name: string, toStdout: boolean): Promise<OpenLog> {
  // Not `process.stdout.isTTY`: the first use of process.stdout makes a pipe non-blocking for all who share it.
  let stdout: Stdout | null = null;
  if (toStdout) {
    stdout = openStdout((lines) => dropped(lines));
    if (isatty(1)) stdout = await forPeople(stdout);
  }
  const streams = pino.multistream(stdout === null ? [] : [{ stream: stdout, level: 'trace' }]);
  const level = logLevelOf(process.env) ?? 'info';
  const logger = pino({ name, level, hooks: { streamWrite: withoutCredentials } }, streams);
  const dropped = (lines: number): void => logger.warn({ lines }, 'log lines were dropped: stdout is read too slowly');
  let kept: LogFile | null = null;
  return {
    logger,
    alsoTo: (destination) => void streams.add({ stream: destination, level: 'trace' }),
    keepIn(dataDir) {
      kept = logFile(dataDir, (problem) => {
        tellOnStderr(join(dataDir, logFileName), problem);
        logger.warn({ err: problem }, 'the log file cannot be written');
      });
      streams.add({ stream: kept, level: 'trace' });
    },
    reopen: () => kept?.reopen(),
    close: async () => kept?.close(),
    drained: async () => stdout?.drained(),
  };
}

async function forPeople(stdout: Stdout): Promise<Stdout> {
  const { linesForPeople } = await import('./line-for-people.ts');
  const format = linesForPeople({ translateTime: 'SYS:HH:MM:ss.l', colorize: !process.env['NO_COLOR'] });
  return { ...stdout, write: (line) => stdout.write(`${format(line)}\n`) };
}
