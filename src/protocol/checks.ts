/**
 * Checks of a worker without zod: loading zod takes longer than loading the rest of quiesce in a worker. The schemas
 * beside this file define what is valid; the build generates standalone code from them.
 */
import { mirrorOptions, toWorker } from './generated-checks.js';
import type { ToWorker } from './messages.ts';
import type { CompleteMirrorOptions } from './mirror-job.ts';

export interface Check<T> {
  /** Writes defaults into an object that lacks them. */
  (value: unknown): value is T;
  /** What was wrong with the last refused value. */
  readonly errors?:
    | readonly {
        /** JSON Pointer (RFC 6901); empty for the whole. */
        readonly instancePath: string;
        readonly message?: string;
        readonly params: { readonly additionalProperty?: string };
      }[]
    | null;
}

export const isToWorker: Check<ToWorker> = toWorker;
export const isMirrorOptions: Check<CompleteMirrorOptions> = mirrorOptions;

/** Why the last value was refused: where, and what is allowed. */
export function faultsOf({ errors }: Check<unknown>): string {
  const faults = (errors ?? []).map(({ instancePath, message, params: { additionalProperty } }) => {
    const name = additionalProperty === undefined ? '' : ` ('${additionalProperty}')`;
    return `${instancePath.slice(1).replaceAll('/', '.') || 'it'} ${message}${name}`;
  });
  return faults.join('; ');
}
