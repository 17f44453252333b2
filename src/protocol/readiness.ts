/** What takes a site that runs out of a load balancer: the rule of every `/readyz`, of a worker's and of the admin server's. */
import { QuiesceError } from '../errors.ts';
import type { HoldStatus } from './runs.ts';

/**
 * A short pause must not make a load balancer take every instance out at once. Null where requests should be sent.
 *
 * @param paused how long the pause has lasted, ms; 0 where there is none
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
