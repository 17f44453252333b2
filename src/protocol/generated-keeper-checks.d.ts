/** Written by the build (dev/checks.ts): code that Ajv makes of the schemas. */
import type { Check } from './checks.ts';
import type { ToKeeper } from './keeper.ts';

export const toKeeper: Check<ToKeeper>;
