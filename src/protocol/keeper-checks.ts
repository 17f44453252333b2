/** Checks of a keeper without zod, which takes more memory than all the rest of a keeper. See `checks.ts`. */
import { toKeeper } from './generated-keeper-checks.js';
import type { Check } from './checks.ts';
import type { ToKeeper } from './keeper.ts';

export const isToKeeper: Check<ToKeeper> = toKeeper;
