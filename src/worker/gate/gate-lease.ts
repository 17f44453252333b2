/** Until when the gate of a host among several may be open, as its primary tells it. All times in ms. */
export interface LeaseTerms {
  /** On CLOCK_MONOTONIC; 0 where the host is not counted at all. */
  readonly deadline: number;
  /** What `sleepOffset` gave when the deadline was counted. */
  readonly sleepOffset: number;
  /** How long what is at work then may take to end. */
  readonly grace: number;
}

/** Until when the other hosts of a site count on this one. */
export interface GateLease {
  /** Check this before anything starts. */
  isOver(): boolean;
  renew(terms: LeaseTerms): void;
}
