/**
 * Finds workers whose event loop is stuck: serving, but silent for longer than the timeout.
 *
 * Silence counts only while this process itself could receive. A primary that was stopped or busy finds all of its
 * workers silent, and must first read what they have sent.
 */
interface Pulse {
  /** The time of its last heartbeat, or when its silence started to count. */
  at: number;
  counts: boolean;
  /** It may always be silent this long, ms. */
  least: number;
}

export class HeartbeatMonitor<Key> {
  /** ms */
  timeout: number;
  readonly #pulses = new Map<Key, Pulse>();
  #checkedAt: number | null = null;

  /** `timeout` in ms. */
  constructor(timeout: number) {
    this.timeout = timeout;
  }

  /** How often to call `check`, ms. */
  get interval(): number {
    return Math.max(50, Math.min(1_000, this.timeout / 4));
  }

  /** From now on the worker's silence counts. It may always be silent for `least` ms, whatever the timeout is. */
  watch(key: Key, now: number, least = 0): void {
    this.#checkedAt ??= now; // else a late first check would not be recognised
    this.#pulses.set(key, { at: now, counts: true, least });
  }

  beat(key: Key, now: number): void {
    const { counts = false, least = 0 } = this.#pulses.get(key) ?? {};
    this.#pulses.set(key, { at: now, counts, least });
  }

  forget(key: Key): void {
    this.#pulses.delete(key);
  }

  /** The workers that were silent for too long, and for how long, ms. `now` is monotonic. */
  check(now: number): { key: Key; silentFor: number }[] {
    const late = this.#checkedAt !== null && now - this.#checkedAt > 2 * this.interval;
    this.#checkedAt = now;
    if (late) {
      for (const pulse of this.#pulses.values()) pulse.at = now;
      return [];
    }
    const silent: { key: Key; silentFor: number }[] = [];
    for (const [key, pulse] of this.#pulses) {
      if (pulse.counts && now - pulse.at > Math.max(this.timeout, pulse.least))
        silent.push({ key, silentFor: now - pulse.at });
    }
    return silent;
  }
}
