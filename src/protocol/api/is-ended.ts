/** Returns whether a run in this state has ended. */
import { runOutcomes } from '../words.ts';
import type { RunState } from './runs.ts';

export function isEnded(state: RunState): boolean {
  return (runOutcomes as readonly RunState[]).includes(state);
}
