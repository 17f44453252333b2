/** Formats states, numbers, sizes and times for people. */

import type { Phase, WorkerState } from '#quiesce/protocol/api/runs.js';

/** What people call the phases and the states of a worker. */
export const phaseWords: Record<Phase, string> = { serving: 'serving', draining: 'draining', quiesced: 'paused' };
export const workerWords: Record<WorkerState, string> = {
  ...phaseWords,
  starting: 'starting',
  stopping: 'stopping',
  waiting: 'waiting',
};

const seconds = 1_000;
const minutes = 60 * seconds;
const hours = 60 * minutes;
const days = 24 * hours;

/** `850 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`. */
export function duration(ms: number): string {
  const time = Math.max(0, ms);
  if (time < 1) return time === 0 ? '0 ms' : '< 1 ms';
  if (time < 999.5) return `${time < 10 ? round(time, 1) : Math.round(time)} ms`;
  if (time < 9_950) return `${round(time / seconds, 1)} s`;
  if (time < minutes - seconds / 2) return `${Math.round(time / seconds)} s`;
  if (time < hours - minutes / 2) return pair(time, minutes, 'min', seconds, 's');
  if (time < days - hours / 2) return pair(time, hours, 'h', minutes, 'min');
  return pair(time, days, 'd', hours, 'h');
}

function pair(time: number, large: number, largeName: string, small: number, smallName: string): string {
  const parts = Math.round(time / small);
  const per = large / small;
  const rest = parts % per;
  const whole = `${Math.floor(parts / per)} ${largeName}`;
  return rest === 0 ? whole : `${whole} ${rest} ${smallName}`;
}

/** Uses no unit below a second: for a text that is updated each second. */
export function age(ms: number): string {
  return ms < seconds ? 'less than 1 s' : duration(Math.floor(ms / seconds) * seconds);
}

/** One unit only: `48 min`. */
export function roughly(ms: number): string {
  const [number, unit] = age(ms).split(' ');
  return number === 'less' ? 'moments' : `${number} ${unit}`;
}

export function bytes(value: number): string {
  if (value < 1_000) return `${value} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let size = value / 1_000;
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1_000;
    unit++;
  }
  return `${size < 9.95 ? round(size, 1) : Math.round(size)} ${units[unit]}`;
}

/** With a thin space between thousands. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US').replaceAll(',', '\u202f');
}

export function rate(value: number): string {
  return value < 10 ? String(round(value, 1)) : count(value);
}

export function percent(value: number): string {
  return `${value < 10 ? round(value, 1) : Math.round(value)} %`;
}

/** Formats the local time of day, with the date if it is not today. */
export function clock(time: number, now: number, withSeconds = true): string {
  const date = new Date(time);
  const two = (value: number): string => String(value).padStart(2, '0');
  const text = `${two(date.getHours())}:${two(date.getMinutes())}${withSeconds ? `:${two(date.getSeconds())}` : ''}`;
  if (date.toDateString() === new Date(now).toDateString()) return text;
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${text}`;
}

function round(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}

export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
