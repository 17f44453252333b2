/** Answers of the admin interface that are not of the documented state, which is in `runs.ts`. */
import * as z from '../../vendor/zod.ts';
import { runRecord } from './runs.ts';

export const execStart = z.object({ run: z.string() });
export const execEnd = z.object({ run: runRecord, held: z.boolean().describe('Whether an operator hold stands.') });
export const handedOver = z.object({
  /** Of the primary that serves now; null if it has gone again. */
  pid: z.int().nullable(),
  /** Of the one before it, which finishes what is in flight. */
  former: z.int(),
});
export const handOverEnd = z.object({
  warnings: z.array(z.string()).describe('What the end of the former primary has cost.'),
});
export const runList = z.object({ items: z.array(runRecord) });
export const stopAnswer = z.object({ pid: z.number() });
export const urls = z.object({ urls: z.array(z.string()) });

export type ExecStart = z.infer<typeof execStart>;
export type ExecEnd = z.infer<typeof execEnd>;
export type HandedOver = z.infer<typeof handedOver>;
export type HandOverEnd = z.infer<typeof handOverEnd>;
export type RunList = z.infer<typeof runList>;
export type StopAnswer = z.infer<typeof stopAnswer>;
export type Urls = z.infer<typeof urls>;
