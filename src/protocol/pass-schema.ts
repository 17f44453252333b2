/** Apart from what every worker loads: that stays without zod. */
import { z } from 'zod';

export const pass = z.object({ word: z.string(), key: z.string() });
