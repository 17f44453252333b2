/** The name of a process in a slot, in maps, logs and errors: `0.1` is the first incarnation in slot 0. */
import type { WorkerRef } from './ports.ts';

export function keyOf({ slot, incarnation }: WorkerRef): string {
  return `${slot}.${incarnation}`;
}

/** Only the reference, without the other properties of the object. */
export function refOf({ slot, incarnation }: WorkerRef): WorkerRef {
  return { slot, incarnation };
}
