/**
 * The content of `GET /api/events`: the status, a sample each second, the pauses, the runs, the last lines of the log.
 * A new reader gets everything that is remembered; a reader that reconnects gets what it missed.
 */
import type { History, PauseRecord, Sample } from '../../protocol/api/live.ts';
import { isEnded } from '../../protocol/api/is-ended.ts';
import { runWithoutPaths, statusWithoutPaths } from '../../protocol/api/public-view.ts';
import type { ClusterStatus, RunRecord, RunState } from '../../protocol/api/runs.ts';
import type { Operations } from '../ports.ts';
import { EventLog } from './event-log.ts';
import type { LogTail } from './log-tail.ts';
import type { Move, Observer } from './observers.ts';
import { PauseLog, pausesOf } from './pause-log.ts';
import type { Traffic } from './traffic.ts';

/** How often a sample is taken, ms, and how many are kept. */
const interval = 1_000;
const keptSamples = 600;
const shownRuns = 50;

export interface LiveDeps {
  readonly operations: Pick<Operations, 'status' | 'watch' | 'runs'>;
  readonly traffic: Traffic;
  /** Requests refused since the primary started, as far as is known. */
  readonly refused: () => number;
  readonly tail: LogTail;
  /** When the primary started, epoch ms. Default: now. */
  readonly startedAt?: number;
  readonly onPause?: (pause: PauseRecord) => void;
}

export class Live implements Observer {
  readonly events: EventLog = new EventLog();
  readonly #deps: LiveDeps;
  readonly #startedAt: string;
  readonly #pauses: PauseLog;
  readonly #samples: Sample[] = [];
  readonly #runStates = new Map<string, RunState>();
  /** Those that read, with how each is ended. */
  readonly #followers = new Map<() => void, () => void>();
  #unwatch: (() => void) | null = null;
  #status: ClusterStatus | null = null;
  /** The newest status as JSON, for readers with the token and for others; made when the first one reads it. */
  #statusTexts: { whole?: string; public?: string } = {};
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: LiveDeps) {
    this.#deps = deps;
    const { operations, tail } = deps;
    const now = deps.startedAt ?? Date.now();
    this.#startedAt = new Date(now).toISOString();
    const { phase, epoch } = operations.status();
    this.#pauses = new PauseLog(
      {
        holds: () => operations.status().holds,
        refused: deps.refused,
        changed: (pause) => {
          this.#append('pause', JSON.stringify(pause));
          deps.onPause?.(pause);
        },
      },
      { phase, epoch, now },
      pausesOf(operations.runs(1_000)),
    );
    tail.onLines((lines) => this.#append('log', `[${lines.join(',')}]`, null));
  }

  start(): void {
    this.#timer = setInterval(() => this.sample(Date.now()), interval).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#deps.tail.close();
  }

  /** Another primary serves: whoever reads here is to read there. */
  leave(): void {
    for (const ended of this.#followers.values()) ended();
  }

  moved(move: Move): void {
    this.#pauses.moved(move);
  }

  run(run: RunRecord): void {
    // The progress of a run is part of the status; an event is sent only when its state changes.
    if (this.#runStates.get(run.id) === run.state) return;
    if (isEnded(run.state)) this.#runStates.delete(run.id);
    else this.#runStates.set(run.id, run.state);
    this.#append('run', JSON.stringify(run), JSON.stringify(runWithoutPaths(run)));
  }

  /** When the current phase started, epoch ms. */
  get phaseSince(): number {
    return this.#pauses.phaseSince;
  }

  /** A {@link History} as JSON. */
  history(trusted: boolean): string {
    const { operations, tail } = this.#deps;
    const runs = operations.runs(shownRuns);
    const history: Omit<History, 'log'> = {
      startedAt: this.#startedAt,
      trusted,
      samples: this.#samples,
      pauses: [...this.#pauses.list],
      runs: trusted ? runs : runs.map(runWithoutPaths),
    };
    const log = trusted ? tail.lines.join(',') : '';
    return `${JSON.stringify(history).slice(0, -1)},"log":[${log}]}`;
  }

  /**
   * The newest status as JSON; the string stays the same until the status changes. Kept up to date only for followers.
   */
  status(trusted: boolean): string {
    const [status, texts] = [this.#status, this.#statusTexts];
    if (status === null) return '';
    if (trusted) return (texts.whole ??= JSON.stringify(status));
    return (texts.public ??= JSON.stringify(statusWithoutPaths(status)));
  }

  /**
   * Calls `listener` when there is something new to read, and `ended` when this primary has nothing more to tell. Returns a
   * function that stops it.
   */
  follow(listener: () => void, ended: () => void = () => {}): () => void {
    const { operations } = this.#deps;
    const show = (status: ClusterStatus): void => {
      this.#keep(status);
      this.#wake();
    };
    if (this.#unwatch === null) {
      this.#keep(operations.status());
      this.#unwatch = operations.watch(show);
    }
    this.#followers.set(listener, ended);
    return () => {
      this.#followers.delete(listener);
      if (this.#followers.size > 0) return;
      this.#unwatch?.();
      this.#unwatch = null;
    };
  }

  /** Takes one sample; `now` in epoch ms. Called by the timer. */
  sample(now: number): void {
    const { operations, traffic } = this.#deps;
    let served = 0;
    let refused = 0;
    const workers: Sample['workers'] = [];
    for (const worker of operations.status().workers) {
      if (worker.pid === null) continue;
      const { slot, incarnation, inFlight, cpu, memory, eventLoopDelay } = worker;
      const rates = traffic.ratesOf(worker);
      served += rates.served;
      refused += rates.refused;
      workers.push({ slot, incarnation, rate: rates.served, inFlight, cpu, memory, eventLoopDelay });
    }
    const sample: Sample = {
      at: new Date(now).toISOString(),
      served: tenths(served),
      refused: tenths(refused),
      workers,
    };
    this.#samples.push(sample);
    if (this.#samples.length > keptSamples) this.#samples.shift();
    this.#pauses.refresh(now);
    this.#append('sample', JSON.stringify(sample));
  }

  #keep(status: ClusterStatus): void {
    this.#status = status;
    this.#statusTexts = {};
  }

  #append(type: 'sample' | 'pause' | 'run' | 'log', data: string, publicData: string | null = data): void {
    this.events.append(type, data, publicData);
    this.#wake();
  }

  #wake(): void {
    for (const follower of this.#followers.keys()) follower();
  }
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
