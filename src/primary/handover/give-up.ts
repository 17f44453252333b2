/** What writes to the data directory by itself, and must not once that is the successor's. */
export interface Writer {
  /** Resolves when nothing is being written any more. */
  suspend(): Promise<void>;
  /** It goes on as before. */
  resume(): void;
}

/** Gives the data directory up when nothing is written any more. Where that fails, all of them go on. */
export async function giveUpBehind(writers: readonly Writer[], giveUp: () => Promise<void>): Promise<void> {
  try {
    const suspended = await Promise.allSettled(writers.map((each) => each.suspend()));
    for (const each of suspended) if (each.status === 'rejected') throw each.reason;
    await giveUp();
  } catch (error) {
    for (const each of writers) each.resume();
    throw error;
  }
}
