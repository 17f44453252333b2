/** Names the user who gives an order. The primary stores the name with a hold and writes it to its log. */
import { userInfo } from 'node:os';
import type { Target } from '../find-data-dir.ts';
import { longestName } from '../../protocol/api/order.ts';

export interface SignedTarget extends Target {
  /** Default: the user's name. */
  readonly by?: string;
}

export function askedBy({ by }: SignedTarget): { by: string } {
  return { by: (by || userName()).slice(0, longestName) };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a user that its system does not know.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
