/** Decides when a running site must leave the load balancer: the rule of `/readyz` in workers and the admin server. */
import { QuiesceError } from '../../errors.ts';
import type { HoldStatus } from './runs.ts';

/**
 * Why the site is not ready; null if it should get requests. A short pause must not make a load balancer remove every
 * instance at once. Neither must a hold of all hosts, however long: with no host left, visitors see the load balancer's
 * own error in place of the page.
 *
 * @param paused how long the pause has lasted, ms; 0 if there is none
 * @param grace `maintenance.ready_grace`, ms
 */
export function whyHeld(holds: readonly HoldStatus[], paused: number, grace: number): QuiesceError | null {
  const here = holds.find(({ kind, allHosts }) => kind === 'operator' && allHosts !== true);
  if (here) return new QuiesceError('paused', `An operator holds the site: ${here.reason}`);
  const out = holds.find(({ kind }) => kind === 'cluster');
  if (out) return new QuiesceError('paused', `This host is shut, and others may serve: ${out.reason}`);
  if (paused <= grace || holds.some(({ allHosts }) => allHosts === true)) return null;
  return new QuiesceError(
    'paused',
    `The pause has lasted ${Math.round(paused)} ms, longer than maintenance.ready_grace.`,
  );
}
