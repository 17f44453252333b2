/** How far a reload that takes its time has come, and which workers it waits for. */
import type { ControlClient } from './control-client.ts';
import { counted, say } from './output.ts';
import type { ClusterStatus } from '../protocol/runs.ts';

/** What takes less needs no word; ms. */
const patience = 2_000;

/** Says so while `work` goes on, at each change. */
export async function showingProgress<T>(client: ControlClient, work: Promise<T>): Promise<T> {
  const before = (await client.status().catch(() => null))?.workers ?? null;
  let told = '';
  const look = async (): Promise<void> => {
    const status = before === null ? null : await client.status().catch(() => null);
    if (before === null || status === null) return;
    const text = progressOf(before, status.workers);
    if (text !== told) say(text);
    told = text;
  };
  const timer = setInterval(() => void look(), patience);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}

type Workers = ClusterStatus['workers'];

/** Such as `2 of 4 workers are new; waiting for worker 0.1, which has 3 requests in flight`. */
export function progressOf(before: Workers, now: Workers): string {
  const old = new Map<number, number>();
  for (const { slot, incarnation } of before) old.set(slot, Math.max(incarnation, old.get(slot) ?? 0));
  const slots = [...new Set(now.map(({ slot }) => slot))];
  const serves = ({ state }: Workers[number]): boolean => !['starting', 'stopping', 'waiting'].includes(state);
  const isNew = (slot: number): boolean =>
    now.some((each) => each.slot === slot && serves(each) && each.incarnation > (old.get(slot) ?? 0));
  const done = `${slots.filter(isNew).length} of ${counted(slots.length, 'worker')} new`;
  const waits = now
    .filter(({ state }) => state === 'stopping')
    .map(({ slot, incarnation, inFlight }) =>
      inFlight === 0
        ? `worker ${slot}.${incarnation} to end`
        : `worker ${slot}.${incarnation} to finish ${counted(inFlight, 'request')}`,
    );
  return waits.length === 0 ? done : `${done}; waiting for ${waits.join(', ')}`;
}
