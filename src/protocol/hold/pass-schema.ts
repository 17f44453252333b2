/** The schema of a pass, in its own file: the code that every worker loads stays without zod. */
import * as z from '../../vendor/zod.ts';

export const pass = z.object({ word: z.string(), key: z.string() });
