/** The moment that `--at` means, in the zone of whoever calls. Pure but for the zone. */

/** The same clock time comes twice within this, at most, where clocks are set back; ms. */
const steps = [15, 30, 45, 60, 90, 120].map((minutes) => minutes * 60_000);

/**
 * `02:00` is the next moment at which clocks here show that time. Where they are set back and show it twice, it is the
 * first one that is still to come; where they are set forward over it, it is later by what they skip: 02:30 is 03:30 then.
 *
 * @returns what is wrong, in words, where it is no such time, or in the past.
 */
export function nextTime(text: string, now: Date): Date | string {
  const clock = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(text);
  if (clock !== null)
    return nextClockTime(
      clock.slice(1).map((part) => Number(part ?? 0)),
      now,
    );
  // Without a zone it is the caller's.
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
