/** The record of who holds the lock of a data directory: primaries write it, commands read it. */
import * as z from '../vendor/zod.ts';

/** Distinguishes a process from a later one with the same pid. */
export const processRecord: z.ZodObject<{
  pid: z.ZodInt;
  startTime: z.ZodNullable<z.ZodString>;
  place: z.ZodString;
}> = z.object({
  pid: z.int().positive(),
  /** Start time in clock ticks since boot, as /proc has it. */
  startTime: z.string().nullable(),
  place: z.string(),
});
export type ProcessRecord = z.infer<typeof processRecord>;

export const lockOwner = processRecord.extend({
  /** The lock that this record belongs to; an older record says nothing about a newer lock. */
  lock: z.string(),
  since: z.string(),
  /** The process that started the holder and whose death ends it; a primary without a keeper has none. */
  keeper: processRecord.omit({ place: true }).optional(),
  /** It has handed over, and writes nothing any more: the lock is for the next primary of its keeper. */
  yielded: z.literal(true).optional(),
});
export type LockOwner = z.infer<typeof lockOwner>;
