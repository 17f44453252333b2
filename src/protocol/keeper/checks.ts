/** Checks of a keeper without zod, which takes more memory than all the rest of a keeper. See `../workers/checks.ts`. */
import { toKeeper } from './generated-checks.js';
import type { Check } from '../check.ts';
import type { ToKeeper } from './messages.ts';

export const isToKeeper: Check<ToKeeper> = toKeeper;
