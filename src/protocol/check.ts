/** A check that the build generates from a schema (dev/checks.ts): code that needs nothing else. */
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

/** Why the last value was refused: where, and what is allowed. */
export function faultsOf({ errors }: Check<unknown>): string {
  const faults = (errors ?? []).map(({ instancePath, message, params: { additionalProperty } }) => {
    const name = additionalProperty === undefined ? '' : ` ('${additionalProperty}')`;
    return `${instancePath.slice(1).replaceAll('/', '.') || 'it'} ${message}${name}`;
  });
  return faults.join('; ');
}
