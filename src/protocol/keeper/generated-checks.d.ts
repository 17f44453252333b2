/** Written by the build (dev/checks.ts): code that Ajv makes of the schemas. */
import type { Check } from '../check.ts';
import type { ToKeeper } from './messages.ts';

export const toKeeper: Check<ToKeeper>;
