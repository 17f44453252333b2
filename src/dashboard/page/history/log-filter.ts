/** Decides which lines of the log pass a filter. Pure. */
import type { LogLine } from '#quiesce/protocol/api/live.js';
import type { LogFilter } from '../place/address.ts';

/** Levels of pino. */
const warning = 40;
const error = 50;

export function passes(line: LogLine, { level, from, text }: LogFilter): boolean {
  if (level === 'errors' && line.level < error) return false;
  if (level === 'warnings' && line.level < warning && line.stream !== 'stderr') return false;
  if (from === 'supervisor' && line.stream !== undefined) return false;
  if (/^\d/.test(from) && line.slot !== Number(from)) return false;
  const words = text.toLowerCase().split(/\s+/);
  const whole = words.length === 1 && words[0] === '' ? '' : textOf(line);
  return words.every((word) => whole.includes(word));
}

/** Everything that the line says: a request, a run or an error also stand in members of their own. */
function textOf({ level: _level, time: _time, msg, ...members }: LogLine): string {
  return `${msg ?? ''} ${valuesOf(members).join(' ')}`.toLowerCase();
}

function valuesOf(value: unknown): string[] {
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(valuesOf);
  return [String(value)];
}
