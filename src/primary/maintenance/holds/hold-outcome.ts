/** Waits for the outcome of a hold, and says what one host and a cluster of hosts say of it in the same words. */
import { QuiesceError } from '../../../errors.ts';

export const holdStays = 'the hold stays, and `quiesce maintenance off` ends it';
export const holdTakenBack = 'the hold was taken back';

export function callerGone(): QuiesceError {
  return new QuiesceError('hold-ended', 'The client that requested the hold has disconnected.');
}

/**
 * Resolves with the first outcome that `look` returns, with `timeout`, or with `gone` if the caller has disconnected.
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
