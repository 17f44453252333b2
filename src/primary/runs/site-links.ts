import type { Event } from '../maintenance/state.ts';

/** What this knows of the rest of the primary. */
export interface SiteLinks {
  readonly dispatch: (event: Extract<Event, { type: 'prepared' | 'finished' }>) => void;
  /** The requests that the cluster has refused so far. */
  readonly refused: () => number;
  /** Of the last pause. */
  readonly epoch: () => number;
}
