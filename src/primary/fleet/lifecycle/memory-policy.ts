/**
 * Decides when a worker above `max_memory_restart` is replaced. Pure.
 *
 * A worker that has grown is replaced at once. One that is above the limit right after its boot has not grown: the
 * limit is below what the app needs, the next worker will be as large, and a replacement only costs time. Such
 * replacements back off.
 */
export interface MemoryRecord {
  /** Useless replacements in a row. */
  readonly streak: number;
  /** No such replacement before this time, on the clock of `now`. */
  readonly notBefore: number;
}

export const noMemoryRecord: MemoryRecord = { streak: 0, notBefore: 0 };

/** A worker above the limit this soon after it was ready, ms, has not grown. Memory is sampled about every second. */
export const bootSize = 3_000;
const firstDelay = 2_000;
export const longestDelay = 5 * 60_000;

/**
 * Null: do not replace the worker yet.
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
    '. It was above the limit right after its start: the app needs more: raise max_memory_restart. ' +
    `The slot is left alone for ${delay / 1_000} s`;
  return { record: { streak: before.streak + 1, notBefore: now + delay }, remark };
}
