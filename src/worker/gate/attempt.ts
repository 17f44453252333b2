/** Calls a function of the app that must not stop the site: what it throws is logged, and goes no further. */

/** Resolves when the promise that it returned has settled, well or not; undefined where it returned none. */
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
