/** Samples CPU and memory of processes. Samples never overlap, and a process that is gone is no error. */
import pidusage from 'pidusage';

/** `cpu` in percent of one core since the previous sample, `memory` (RSS) in bytes. */
export interface Vitals {
  readonly cpu: number;
  readonly memory: number;
}

/** pidusage keeps a /proc file open for each process, and closes it this long after its last use, ms. */
const keptOpen = 5_000;

export const noVitals: Vitals = { cpu: 0, memory: 0 };

export class VitalsSampler {
  readonly #pids: () => readonly number[];
  readonly #onSample: () => void;
  /** ms */
  every: number;
  #samples = new Map<number, Vitals>();
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  /** `every` in ms; `pids` names the processes at each sample. */
  constructor(every: number, pids: () => readonly number[], onSample: () => void) {
    this.every = every;
    this.#pids = pids;
    this.#onSample = onSample;
  }

  start(): void {
    this.#timer = setTimeout(() => void this.#sample(), this.every).unref();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
  }

  of(pid: number | null): Vitals {
    return (pid === null ? undefined : this.#samples.get(pid)) ?? noVitals;
  }

  async #sample(): Promise<void> {
    const pids = this.#pids();
    const samples = new Map<number, Vitals>();
    try {
      // Rejects if all of them are gone.
      const found: Record<string, { cpu: number; memory: number } | null | undefined> =
        pids.length > 0 ? await pidusage([...pids], { maxage: keptOpen }) : {};
      for (const pid of pids) {
        const stat = found[pid];
        if (stat) samples.set(pid, { cpu: Math.round(stat.cpu * 10) / 10, memory: stat.memory });
      }
    } catch {
      samples.clear();
    }
    if (this.#stopped) return;
    this.#samples = samples;
    this.#onSample();
    this.start();
  }
}
