/** What a process in a slot is called: `0.1` is the first incarnation in slot 0, in maps, logs and errors alike. */
import type { WorkerRef } from './ports.ts';

export function keyOf({ slot, incarnation }: WorkerRef): string {
  return `${slot}.${incarnation}`;
}

/** Nothing but the reference, of what is more. */
export function refOf({ slot, incarnation }: WorkerRef): WorkerRef {
  return { slot, incarnation };
}
