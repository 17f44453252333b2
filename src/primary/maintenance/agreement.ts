/**
 * Who else has a say: what has to be agreed before a run is granted, before its drain and its work begin, and before the
 * gates open after it. A host that is alone agrees with itself, in the same step.
 */
import type { Event, SiteHold, State } from './state.ts';

export type AgreementEvent = Extract<Event, { type: 'site' | 'agreed' | 'refused' | 'lost' | 'recover' }>;

export interface Agreement {
  /** Whether a run waits for `agreed`. */
  readonly asksOthers: boolean;
  /** Why the gates of a host that starts are shut. */
  readonly firstHold: SiteHold | null;
  /** The site's epoch, where there is one: the fence counts by it. */
  readonly epoch: number | null;
  /** Hosts that a drain still waits for, by name. */
  waitingFor(): readonly string[];
  connect(dispatch: (event: AgreementEvent) => void): void;
  /** The state has changed: what the run asks is in it. */
  look(state: State): void;
}

export const alone: Agreement = {
  asksOthers: false,
  firstHold: null,
  epoch: null,
  waitingFor: () => [],
  connect: () => {},
  look: () => {},
};
