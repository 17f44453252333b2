/** Reports which run a command waits for. */
import type { ControlClient } from '../control-client.ts';
import { duration, say } from '../output.ts';
import { originText } from '../../protocol/feed/mirror-text.ts';
import { visibleIn } from '../../protocol/visible.ts';
import type { ClusterStatus } from '../../protocol/api/runs.ts';

/** No message is printed before this time, ms. */
const patience = 2_000;

/**
 * Waits for an order that may have to wait for a run, and says so once for each run: which one, and how to go on.
 *
 * @param more a further way to go on
 * @param also gets each status that is read meanwhile
 */
export async function tellingOfRun<T>(
  client: ControlClient,
  what: string,
  work: Promise<T>,
  { more = '', also }: { more?: string; also?: (status: ClusterStatus) => void } = {},
): Promise<T> {
  const told = new Set<string>();
  const look = async (): Promise<void> => {
    const status = await client.status().catch(() => null);
    if (status === null) return;
    also?.(status);
    if (status.run === null || status.run.endedAt !== undefined || told.has(status.run.id)) return;
    const run = visibleIn(status.run);
    const { id, kind, owner, startedAt } = run;
    told.add(id);
    const whose = owner === undefined ? '' : ` (${originText(run)} in slot ${owner.slot})`;
    const age = duration(Math.max(0, Date.now() - Date.parse(startedAt)));
    say(`${what} waits for the ${kind} run ${id}${whose}, started ${age} ago.`);
    say(`To end that run: quiesce runs cancel ${id}.${more}`);
  };
  const timer = setInterval(() => void look(), patience);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}

/** Returns a function that says the text whenever it is another one than the last time. */
export function tellOnce<T extends unknown[]>(text: (...args: T) => string): (...args: T) => void {
  let told = '';
  return (...args) => {
    const next = text(...args);
    if (next !== '' && next !== told) say(next);
    told = next;
  };
}
