/**
 * Waits for what becomes of a hold: what `look` says first, or `timeout`, or `gone` where the caller has gone.
 *
 * @param onChange calls back after anything may have changed; returns how to stop it
 * @param timeout ms
 */
export function outcomeOf<T extends string>(
  look: () => T | null,
  onChange: (listener: () => void) => () => void,
  timeout: number,
  signal: AbortSignal | undefined,
): Promise<T | 'timeout' | 'gone'> {
  return new Promise((resolve) => {
    const settle = (outcome: T | 'timeout' | 'gone'): void => {
      clearTimeout(timer);
      forget();
      signal?.removeEventListener('abort', onAbort);
      resolve(outcome);
    };
    const again = (): void => {
      const outcome = look();
      if (outcome !== null) settle(outcome);
    };
    const onAbort = (): void => settle('gone');
    const timer = setTimeout(() => settle('timeout'), timeout);
    const forget = onChange(again);
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted) onAbort();
    else again();
  });
}
