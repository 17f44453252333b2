/** Requests that wait at the gate: the record of each, and how many may wait for how long. */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** The limits for requests that may not enter now. */
export interface HoldLimits {
  /** How many may wait. */
  readonly limit: number;
  /** How long each may wait, ms. */
  readonly timeout: number;
}

/** A request that waits for the gate to open. */
export interface Held {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly admit: () => void;
  readonly refuse: () => void;
  readonly timer: NodeJS.Timeout;
  /** A request that came before the primary's first message; a pause refuses it unless its options say `hold`. */
  readonly startup: boolean;
}
