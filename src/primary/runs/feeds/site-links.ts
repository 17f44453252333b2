/** The links from the feed runs to the rest of the primary. */
import type { Event } from '../../maintenance/machine/state.ts';

/** What feed runs need of the rest of the primary. */
export interface SiteLinks {
  readonly dispatch: (event: Extract<Event, { type: 'prepared' | 'finished' }>) => void;
  /** The number of requests that the cluster has refused so far. */
  readonly refused: () => number;
  /** The epoch of the last pause. */
  readonly epoch: () => number;
}
