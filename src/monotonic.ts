/** The clock that all processes of a machine share, and whether the machine has slept. */
import os from 'node:os';

/** What the two clocks may differ by before the machine is taken to have slept, ms. */
const slept = 500;

/** CLOCK_MONOTONIC, ms: one for all processes of a machine. */
export function clock(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Grows while the machine sleeps, ms: CLOCK_BOOTTIME goes on, CLOCK_MONOTONIC does not. Takes up to 20 µs. */
export function sleepOffset(): number {
  return os.uptime() * 1_000 - clock();
}

/** How long the machine has slept, ms. @param offset what `sleepOffset` gave before */
export function sleptSince(offset: number): number {
  const asleep = sleepOffset() - offset;
  return asleep > slept ? asleep : 0;
}
