/** Names the requests and the hosts that a drain waits for. */
import type { WaitingRequest } from '../../../protocol/api/runs.ts';

const named = 5;

/** A sentence, with a space before it, with the requests that a drain waits for; empty if there are none. */
export function stillInFlight(
  waitingFor: readonly WaitingRequest[],
  where: (request: WaitingRequest) => string,
): string {
  if (waitingFor.length === 0) return '';
  const names = waitingFor
    .slice(0, named)
    .map((request) => `${request.method} ${where(request)} in worker ${request.slot} (${request.age} ms)`);
  return ` Still in flight: ${names.join(', ')}${waitingFor.length > named ? ' …' : ''}.`;
}

/** A sentence, with a space before it, with the hosts that a drain waits for; empty if there are none. */
export function notAtRest(hosts: readonly string[]): string {
  return hosts.length === 0 ? '' : ` Not at rest: ${hosts.join(', ')}.`;
}
