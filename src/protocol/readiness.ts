/** Decides when a running site must leave the load balancer: the rule of `/readyz` in workers and the admin server. */
import { QuiesceError } from '../errors.ts';
import type { HoldStatus } from './runs.ts';

/**
 * Why the site is not ready; null if it should get requests. A short pause must not make a load balancer remove every
 * instance at once.
 *
 * @param paused how long the pause has lasted, ms; 0 if there is none
 * @param grace `maintenance.ready_grace`, ms
 */
export function whyHeld(holds: readonly HoldStatus[], paused: number, grace: number): QuiesceError | null {
  const operator = holds.find(({ kind }) => kind === 'operator');
  if (operator) return new QuiesceError('paused', `An operator holds the site: ${operator.reason}`);
  if (paused <= grace) return null;
  return new QuiesceError(
    'paused',
    `The pause has lasted ${Math.round(paused)} ms, longer than maintenance.ready_grace.`,
  );
}
