import type { Heartbeat } from '#quiesce/protocol/workers/messages.js';
import { noRequestTimes } from '#quiesce/protocol/workers/request-times.js';

/** A heartbeat of an idle worker with an open gate, but for what is given. */
export function aBeat(change: Partial<Heartbeat> = {}): Heartbeat {
  return {
    gate: 'open',
    inFlight: 0,
    eventLoopDelay: 0,
    served: 0,
    refused: 0,
    problems: {},
    times: noRequestTimes(),
    oldest: [],
    ...change,
  };
}
