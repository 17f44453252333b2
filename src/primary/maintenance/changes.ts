/** Tells listeners that something may have changed. */
export class Changes {
  readonly #listeners = new Set<() => void>();

  tell(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Returns a function that removes the listener. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  until(condition: () => boolean): Promise<void> {
    return until(condition, (listener) => this.onChange(listener));
  }
}

/**
 * Resolves when `condition` holds; rejects with the reason of the signal.
 *
 * @param onChange calls back after anything may have changed; returns how to stop it
 */
export function until(
  condition: () => boolean,
  onChange: (listener: () => void) => () => void,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (how: () => void): void => {
      forget();
      signal?.removeEventListener('abort', onAbort);
      how();
    };
    const look = (): void => {
      if (condition()) settle(resolve);
    };
    const onAbort = (): void => settle(() => reject(signal!.reason as Error));
    const forget = onChange(look);
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted) onAbort();
    else look();
  });
}
