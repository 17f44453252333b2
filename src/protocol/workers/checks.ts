/**
 * Checks of a worker without zod: loading zod takes longer than loading the rest of quiesce in a worker. The schemas
 * beside this file define what is valid; the build generates standalone code from them.
 */
import { mirrorOptions, toWorker } from './generated-checks.js';
import type { Check } from '../check.ts';
import type { ToWorker } from './messages.ts';
import type { CompleteMirrorOptions } from './mirror-job.ts';

export const isToWorker: Check<ToWorker> = toWorker;
export const isMirrorOptions: Check<CompleteMirrorOptions> = mirrorOptions;
