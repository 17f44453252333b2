import { setTimeout as delay } from 'node:timers/promises';

/** Polls until `probe` gives something truthy, and returns that. For what there is no event for. */
export async function until<T>(
  what: string,
  probe: () => Promise<T> | T,
  { within = 25_000, every = 20 }: { within?: number; every?: number } = {},
): Promise<NonNullable<T>> {
  const deadline = Date.now() + within;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`not within ${within} ms: ${what}`);
    await delay(every);
  }
}
