/** Makes the order of a hold from what its dialog says. Pure, except that times of day are those of the browser's zone. */

export interface HoldForm {
  readonly reason: string;
  /** As `datetime-local` has it, such as `2026-11-28T02:00`. Null: now. */
  readonly begins: string | null;
  /** Null: when somebody resumes. Or after a duration such as `30m`, or at a time as in `begins`. */
  readonly ends: { readonly after: string } | { readonly at: string } | null;
}

/** The body of `POST /api/maintenance`. */
export interface HoldOrder {
  readonly on: true;
  readonly by: string;
  readonly reason?: string;
  readonly at?: string;
  readonly for?: string | number;
  readonly here?: true;
}

/**
 * @param now the primary's clock, epoch ms: an end at a time of day is ordered as a duration from then
 * @throws Error that says which time is wrong
 */
export function holdOrder({ reason, begins, ends }: HoldForm, by: string, now: number): HoldOrder {
  const at = begins === null ? null : timeOf(begins, 'The hold begins at');
  if (at !== null && at <= now) throw new Error('The hold would begin in the past.');
  return {
    on: true,
    by,
    ...(reason.trim() === '' ? {} : { reason: reason.trim() }),
    ...(at === null ? {} : { at: new Date(at).toISOString() }),
    ...(ends === null ? {} : { for: lengthOf(ends, at ?? now, at === null) }),
  };
}

/**
 * The order for a hold that stands: a new end, counted from now as in `quiesce maintenance on --for`, or a new reason.
 * What it does not say stays.
 *
 * @param here the hold is of this host alone, among several
 */
export function changeOrder(form: HoldForm, by: string, now: number, here: boolean): HoldOrder {
  const order = holdOrder({ ...form, begins: null }, by, now);
  if (order.for === undefined && order.reason === undefined) throw new Error('Choose a new end, or give a new reason.');
  return here ? { ...order, here } : order;
}

function lengthOf(ends: NonNullable<HoldForm['ends']>, begins: number, isNow: boolean): string | number {
  if ('after' in ends) return ends.after;
  const length = timeOf(ends.at, 'The hold ends at') - begins;
  if (length > 0) return length;
  throw new Error(isNow ? 'The hold would end in the past.' : 'The hold would end before it begins.');
}

function timeOf(local: string, what: string): number {
  const time = Date.parse(local);
  if (Number.isNaN(time)) throw new Error(`${what}: choose a day and a time.`);
  return time;
}

/** The next full hour, as `datetime-local` takes it. */
export function nextHour(now: number): string {
  const date = new Date(now);
  date.setHours(date.getHours() + 1, 0, 0, 0);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:00`;
}
