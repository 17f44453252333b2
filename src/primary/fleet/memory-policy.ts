/**
 * When a worker above `max_memory_restart` is replaced. Pure.
 *
 * A worker that has grown is replaced at once. One that is above the limit as soon as it has booted has not grown: the
 * limit is below what the app needs, the next worker will be no smaller, and each replacement only costs. Those back off.
 */
export interface MemoryRecord {
  /** Replacements in a row that were no use. */
  readonly streak: number;
  /** None before then, on the clock of `now`. */
  readonly notBefore: number;
}

export const noMemoryRecord: MemoryRecord = { streak: 0, notBefore: 0 };

/** A worker that is above the limit so soon after it was ready, ms, has not grown. The memory is looked at each second or so. */
export const bootSize = 3_000;
const firstDelay = 2_000;
export const longestDelay = 5 * 60_000;

/**
 * Null: not yet.
 *
 * @param age ms from when it was ready until it was first seen above the limit
 * @param now ms, on the same clock as the record
 */
export function decideMemory(
  before: MemoryRecord,
  age: number,
  now: number,
): { readonly record: MemoryRecord; readonly remark: string } | null {
  if (age > bootSize) return { record: noMemoryRecord, remark: '' };
  if (now < before.notBefore) return null;
  const delay = Math.min(longestDelay, firstDelay * 2 ** before.streak);
  const remark =
    '. It was so large as soon as it had started, so the app needs more than that: raise max_memory_restart. ' +
    `The slot is left alone for ${delay / 1_000} s`;
  return { record: { streak: before.streak + 1, notBefore: now + delay }, remark };
}
