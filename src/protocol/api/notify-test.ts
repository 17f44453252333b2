/** The answer to `quiesce notify test`. */
import * as z from '../../vendor/zod.ts';

export const notifyTest = z.object({
  receivers: z.array(
    z.object({
      receiver: z.string().describe('Without what in its address is secret.'),
      delivered: z.boolean(),
      answer: z.string().describe('The status, or why there was none.'),
    }),
  ),
});
export type NotifyTest = z.infer<typeof notifyTest>;
