/** Describes a scheduled hold for people. */
import type { ScheduledHoldStatus } from '../../protocol/api/runs.ts';

/** Uses the caller's time zone, since a person reads the text. */
export function describeScheduled({ at, until, reason, by }: ScheduledHoldStatus): string {
  const here = (iso: string): string => `${new Date(iso).toLocaleString('sv')} (${iso})`;
  const end = until === undefined ? 'until it is turned off' : `until ${here(until)}`;
  return `scheduled: on from ${here(at)}, ${end}${by === undefined ? '' : `, by ${by}`}${reason === undefined ? '' : `: ${reason}`}`;
}
