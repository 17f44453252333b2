/** Finds the time that `--at` means, in the caller's time zone. Pure except for the zone. */

/** By how much clocks can be set back, ms: the same clock time comes again after one of these steps. */
const steps = [15, 30, 45, 60, 90, 120].map((minutes) => minutes * 60_000);

/**
 * `02:00` is the next time at which clocks here show 02:00. If clocks are set back and show it twice, it is the first
 * of the two that is not over; if clocks are set forward and skip it, it is later by the skipped time: 02:30 becomes
 * 03:30.
 *
 * @returns a message if the text is not a time, or is in the past
 */
export function nextTime(text: string, now: Date): Date | string {
  const clock = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(text);
  if (clock !== null)
    return nextClockTime(
      clock.slice(1).map((part) => Number(part ?? 0)),
      now,
    );
  // Without a zone, the caller's zone is used.
  const isFull = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?$/.test(text);
  const time = isFull ? new Date(text.replace(' ', 'T')) : new Date(Number.NaN);
  if (Number.isNaN(time.getTime()))
    return "It takes a time of day such as '02:00', or a full one such as '2026-11-28T02:00' or '2026-11-28T01:00Z'.";
  return time > now ? time : `${time.toISOString()} is in the past.`;
}

function nextClockTime(parts: readonly number[], now: Date): Date {
  const [hour = 0, minute = 0, second = 0] = parts;
  for (let day = 0; ; day++) {
    const first = new Date(now.getFullYear(), now.getMonth(), now.getDate() + day, hour, minute, second);
    const again = steps.map((step) => new Date(first.getTime() + step));
    const found = [first, ...again.filter((each) => isSame(each, first))].find((each) => each > now);
    if (found !== undefined) return found;
  }
}

function isSame(a: Date, b: Date): boolean {
  const clock = (time: Date): string =>
    [time.getDate(), time.getHours(), time.getMinutes(), time.getSeconds()].join(':');
  return clock(a) === clock(b);
}
