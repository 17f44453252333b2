/**
 * What the other hosts must agree to: before a run is granted, before its drain and its work start, and before the
 * gates open after it. A host without others agrees with itself, in the same step.
 */
import type { Event, SiteHold, State } from './machine/state.ts';

export type AgreementEvent = Extract<Event, { type: 'site' | 'agreed' | 'refused' | 'lost' | 'recover' }>;

/** How long the other hosts count this host as a member. */
export interface Lease {
  /** On CLOCK_MONOTONIC, ms. */
  readonly deadline: number;
  /** What `sleepOffset()` returned when the deadline was counted, ms. */
  readonly sleepOffset: number;
  /** How long requests in flight at the deadline may take to end, ms. */
  readonly grace: number;
}

export interface Agreement {
  /** Whether a run has to wait for `agreed`. */
  readonly asksOthers: boolean;
  /** Why the gates of a starting host are shut. */
  readonly firstHold: SiteHold | null;
  /** The site's epoch, used by the fence; null for a host without others. */
  readonly epoch: number | null;
  /** Sent to the workers; null if the membership does not end. */
  readonly lease: Lease | null;
  /** `onLease` is called when the lease was renewed. */
  connect(dispatch: (event: AgreementEvent) => void, onLease: () => void): void;
  /** Called when the state has changed: the question of the run is part of it. */
  look(state: State): void;
  /** The hosts, by name, that were not at rest when the drain of this run was given up; not there without others. */
  late?(run: string): readonly string[];
}

export const alone: Agreement = {
  asksOthers: false,
  firstHold: null,
  epoch: null,
  lease: null,
  connect: () => {},
  look: () => {},
};
