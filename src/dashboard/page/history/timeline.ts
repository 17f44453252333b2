/** Computes the places of pauses and ticks on a time line. Pure. */
import type { PauseRecord } from '#quiesce/protocol/api/live.js';
import { clock } from '../parts/format.ts';
import { weightiest, type HoldKind } from '../vendor/words.ts';

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

export interface Mark {
  readonly pause: PauseRecord;
  /** Of the whole width, 0 to 1. */
  readonly left: number;
  readonly width: number;
}

/** Returns the pauses that overlap the last `span` ms before `now`, the oldest first. */
export function marksOf(pauses: readonly PauseRecord[], now: number, span: number): Mark[] {
  const start = now - span;
  return pauses.flatMap((pause): Mark[] => {
    const from = Date.parse(pause.from);
    const to = pause.to === undefined ? now : Date.parse(pause.to);
    if (to < start || from > now) return [];
    const left = Math.max(0, (from - start) / span);
    return [{ pause, left, width: Math.min(1, (to - start) / span) - left }];
  });
}

/** Returns how long the gates were shut within the span, ms. */
export function pausedFor(marks: readonly Mark[], span: number): number {
  return marks.reduce((sum, { width }) => sum + width * span, 0);
}

/** Returns the kind of hold that names the pause. */
export function kindOf({ holds }: PauseRecord): HoldKind | 'none' {
  return weightiest(holds.map(({ kind }) => kind)) ?? 'none';
}

export interface Tick {
  /** Of the whole width, 0 to 1. */
  readonly at: number;
  readonly label: string;
}

const hour = 3_600_000;
const week = 7 * 24 * hour;

/** Returns round times within the time line: quarters of an hour, every sixth hour, or midnights. */
export function ticksOf(now: number, span: number): Tick[] {
  const step = span <= hour ? hour / 4 : span < week ? 6 * hour : 24 * hour;
  const midnight = new Date(now);
  midnight.setHours(0, 0, 0, 0);
  const ticks: Tick[] = [];
  for (let time = midnight.getTime() + 24 * hour; time > now - span; time -= step) {
    const at = 1 - (now - time) / span;
    if (at < 0.04 || at > 0.96) continue;
    const label = span < week ? clock(time, time, false) : days[new Date(time).getDay()]!;
    ticks.unshift({ at, label });
  }
  return ticks;
}
