/** Calls a function of the app that must not stop the site: what it throws is logged, and goes no further. */

/** Resolves when the function's promise has settled, fulfilled or rejected; undefined if it returned no promise. */
export function attempt(what: string, work: () => unknown): Promise<void> | undefined {
  try {
    const result = work();
    if (!isThenable(result)) return undefined;
    return Promise.resolve(result).then(
      () => {},
      (error: unknown) => tell(what, error),
    );
  } catch (error) {
    tell(what, error);
    return undefined;
  }
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

function tell(what: string, error: unknown): void {
  console.error(`quiesce: ${what} failed:`, error);
}
