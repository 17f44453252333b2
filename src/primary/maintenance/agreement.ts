/**
 * Who else has a say: what has to be agreed before a run is granted, before its drain and its work begin, and before the
 * gates open after it. A host that is alone agrees with itself, in the same step.
 */
import type { Event, SiteHold, State } from './state.ts';

export type AgreementEvent = Extract<Event, { type: 'site' | 'agreed' | 'refused' | 'lost' | 'recover' }>;

/** Until when the others count this host. */
export interface Lease {
  /** On CLOCK_MONOTONIC, ms. */
  readonly deadline: number;
  /** How long what is in flight then may take to end, ms. */
  readonly grace: number;
}

export interface Agreement {
  /** Whether a run waits for `agreed`. */
  readonly asksOthers: boolean;
  /** Why the gates of a host that starts are shut. */
  readonly firstHold: SiteHold | null;
  /** The site's epoch, where there is one: the fence counts by it. */
  readonly epoch: number | null;
  /** What the workers are told; null where nothing ends. */
  readonly lease: Lease | null;
  /** `onLease`: the lease has been renewed. */
  connect(dispatch: (event: AgreementEvent) => void, onLease: () => void): void;
  /** The state has changed: what the run asks is in it. */
  look(state: State): void;
}

export const alone: Agreement = {
  asksOthers: false,
  firstHold: null,
  epoch: null,
  lease: null,
  connect: () => {},
  look: () => {},
};
