/**
 * What a worker has to check, without zod: to load that takes longer than all of a worker that is quiesce's own. The
 * schemas beside this say what is right; code that needs nothing else is made of them when the package is built.
 */
import { mirrorOptions, toWorker } from './generated-checks.js';
import type { ToWorker } from './messages.ts';
import type { CompleteMirrorOptions } from './mirror-job.ts';

export interface Check<T> {
  /** Writes defaults into an object that lacks them. */
  (value: unknown): value is T;
  /** What was wrong with the last value that was refused. */
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
