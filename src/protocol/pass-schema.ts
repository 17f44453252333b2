/** The schema of a pass, in its own file: the code that every worker loads stays without zod. */
import { z } from 'zod';

export const pass = z.object({ word: z.string(), key: z.string() });
