/** Written by the build (dev/checks.ts): code that Ajv makes of the schema. */
import type { Check } from './check.ts';
import type { LockOwner } from './lock-owner.ts';

export const lockOwner: Check<LockOwner>;
