/** Written by the build (dev/checks.ts): code that Ajv makes of the schemas. */
import type { Check } from '../check.ts';
import type { ToWorker } from './messages.ts';
import type { CompleteMirrorOptions } from './mirror-job.ts';

export const toWorker: Check<ToWorker>;
export const mirrorOptions: Check<CompleteMirrorOptions>;
