/** The supervisor's log: JSON lines, or something for people on a terminal. */
import pino, { type Logger } from 'pino';
import pretty from 'pino-pretty';

/** `LOG_LEVEL` and `NO_COLOR` of the environment are heeded. Credentials in connection strings never get into it. */
export function createLog(name: string): Logger {
  const stream = process.stdout.isTTY
    ? pretty({
        colorize: process.env['NO_COLOR'] === undefined,
        translateTime: 'SYS:HH:MM:ss.l',
        ignore: 'pid,hostname,name',
        singleLine: true,
      })
    : pino.destination({ dest: 1, sync: true });
  return pino({ name, level: process.env['LOG_LEVEL'] ?? 'info' }, stream);
}
