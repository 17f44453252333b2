/**
 * The pauses of the cluster, each from the moment the gates shut until they open: none → draining → drained → over.
 * A run under an operator hold drains once more within the same pause.
 */
import type { PauseRecord } from '../../protocol/api/live.ts';
import type { HoldStatus, Phase, RunRecord } from '../../protocol/api/runs.ts';
import type { Move, Observer } from './observers.ts';

const kept = 500;
/** How long after a resume the heartbeats may still bring refusals of the pause, ms. */
const late = 2_000;

export interface PauseSources {
  holds(): readonly HoldStatus[];
  /** Requests refused so far. */
  refused(): number;
  /** A pause has started, changed or ended. */
  changed(pause: PauseRecord): void;
}

export class PauseLog implements Observer {
  readonly #sources: PauseSources;
  #pauses: PauseRecord[];
  /** When the current phase started, epoch ms. */
  phaseSince: number;
  /** Requests refused before the last pause. */
  #refusedBefore = 0;

  /** `now` in epoch ms: the start of the first pause, if the cluster starts with shut gates. */
  constructor(sources: PauseSources, start: { phase: Phase; epoch: number; now: number }, earlier: PauseRecord[] = []) {
    this.#sources = sources;
    this.#pauses = earlier;
    this.phaseSince = start.now;
    if (start.phase !== 'serving') this.#begin(start.epoch, start.now, start.phase === 'quiesced');
  }

  /** The oldest first. */
  get list(): readonly PauseRecord[] {
    return this.#pauses;
  }

  moved({ from, to, epoch, at }: Move): void {
    this.phaseSince = at;
    if (from === 'serving') this.#begin(epoch, at, to === 'quiesced');
    else if (to === 'serving') this.#update({ to: iso(at) });
    else this.#update(to === 'quiesced' && this.#last?.drained === undefined ? { drained: iso(at) } : {});
  }

  /** Updates the holds and the refusals of the last pause. */
  refresh(now: number): void {
    const last = this.#last;
    if (last === undefined) return;
    const open = last.to === undefined;
    if (!open && now - Date.parse(last.to!) > late) return;
    const refused = this.#sources.refused() - this.#refusedBefore;
    const holds = open ? merged(last.holds, this.#sources.holds()) : last.holds;
    if (refused !== last.refused || holds.length !== last.holds.length) this.#update({ refused, holds });
  }

  get #last(): PauseRecord | undefined {
    return this.#pauses.at(-1);
  }

  #begin(epoch: number, at: number, drained: boolean): void {
    this.#refusedBefore = this.#sources.refused();
    const holds = [...this.#sources.holds()];
    const pause = { epoch, from: iso(at), ...(drained ? { drained: iso(at) } : {}), holds, refused: 0 };
    this.#pauses.push(pause);
    if (this.#pauses.length > kept) this.#pauses.shift();
    this.#sources.changed(pause);
  }

  #update(change: Partial<PauseRecord>): void {
    const last = this.#pauses.pop();
    if (last === undefined) return;
    const holds = last.to === undefined ? merged(last.holds, this.#sources.holds()) : last.holds;
    const next = { ...last, holds, ...change };
    this.#pauses.push(next);
    this.#sources.changed(next);
  }
}

/** The pauses in the reports of an earlier primary's runs, the oldest first. */
export function pausesOf(runs: readonly RunRecord[]): PauseRecord[] {
  const pauses: PauseRecord[] = [];
  for (const { id, kind, report } of runs) {
    if (report === undefined || report.timings.paused === 0) continue;
    const to = Date.parse(report.endedAt);
    const from = to - report.timings.paused;
    pauses.push({
      epoch: report.epoch,
      from: iso(from),
      drained: iso(from + report.timings.drain),
      to: report.endedAt,
      holds: [{ kind, reason: `run ${id}`, since: iso(from) }],
      refused: report.refused,
    });
  }
  return pauses.sort((a, b) => a.from.localeCompare(b.from)).slice(-kept);
}

function merged(known: readonly HoldStatus[], now: readonly HoldStatus[]): HoldStatus[] {
  const same = (a: HoldStatus, b: HoldStatus): boolean => a.kind === b.kind && a.since === b.since;
  return [...known.filter((hold) => !now.some((each) => same(each, hold))), ...now];
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
