/** The deadlines of the maintenance state, from the configuration. */
import type { AppConfig } from '../../config.ts';
import type { Rules } from './state.ts';

/** A worker notices the end of an upload by itself; the primary gives it this much longer, ms. */
const uploadSlack = 5_000;

export function rulesOf({ maintenance, sync }: AppConfig): Rules {
  return {
    drainTimeout: maintenance.drainTimeout,
    onDrainTimeout: maintenance.onDrainTimeout,
    runTimeout: sync.runTimeout,
    uploadTimeout: sync.uploadTimeout + uploadSlack,
  };
}
