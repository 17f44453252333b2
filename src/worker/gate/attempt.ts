/** Calls a function of the app that must not stop the site: what it throws is logged, and goes no further. */

/** Resolves when the function's promise has settled, fulfilled or rejected; undefined if it returned no promise. */
export function attempt(what: string, work: () => unknown): Promise<void> | undefined {
  try {
    const result = work();
    if (typeof (result as PromiseLike<unknown> | null | undefined)?.then !== 'function') return undefined;
    return Promise.resolve(result as PromiseLike<unknown>).then(
      () => {},
      (error: unknown) => tell(what, error),
    );
  } catch (error) {
    tell(what, error);
    return undefined;
  }
}

function tell(what: string, error: unknown): void {
  console.error(`quiesce: ${what} failed:`, error);
}
