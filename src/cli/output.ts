/** Writes the output of commands: results to standard output, everything else to standard error. */
import { styleText } from 'node:util';
import { visible, visibleLine } from '../protocol/visible.ts';

type Style = Parameters<typeof styleText>[0];

/** https://no-color.org: any non-empty value switches colours off. */
function colours(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
}

export function styled(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return colours(stream) ? styleText(style, text) : text;
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  // The same value, but without control sequences for a terminal.
  print(visible(JSON.stringify(value, null, 2)));
}

/** @param before a text of quiesce, which may be coloured */
export function say(text: string, before = ''): void {
  process.stderr.write(`${before}${visible(text)}\n`);
}

export function warn(text: string): void {
  say(visibleLine(text), `${styled('yellow', 'warning:', process.stderr)} `);
}

/** It is not an error if the reader closes the pipe early (`| head`), or if the terminal has hung up. */
export function ignoreClosedPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
      if (error.code !== 'EIO') throw error;
    });
  }
}

/** `1 worker`, `2 workers`. */
export function counted(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.floor((ms % 60_000) / 1000)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit += 1) value /= 1024;
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
