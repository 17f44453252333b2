/** The deadlines of the maintenance state, from the current configuration: a reload may change it. */
import type { AppConfig } from '../../config.ts';
import type { Rules } from './machine/state.ts';

/** How much longer than a worker the primary waits for the end of an upload, ms: the worker notices it first. */
const uploadSlack = 5_000;

export function rulesOf(inForce: { readonly config: AppConfig }, asksOthers = false): Rules {
  return {
    asksOthers,
    get drainTimeout() {
      return inForce.config.maintenance.drainTimeout;
    },
    get onDrainTimeout() {
      return inForce.config.maintenance.onDrainTimeout;
    },
    get runTimeout() {
      return inForce.config.sync.runTimeout;
    },
    get uploadTimeout() {
      return inForce.config.sync.uploadTimeout + uploadSlack;
    },
  };
}
