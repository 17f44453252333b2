/** Returns whether a run in this state has ended. */
import type { RunState } from './runs.ts';

export function isEnded(state: RunState): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'abandoned';
}
