/** The data of the page, and how each event changes it. Pure. */
import type { History, LogLine, PauseRecord, Sample } from '#quiesce/protocol/api/live.js';
import type { ClusterStatus, RunRecord } from '#quiesce/protocol/api/runs.js';
import type { ServerEvent } from './sse.ts';

export interface Model {
  readonly status: ClusterStatus | null;
  /** When the primary started; epoch ms. */
  readonly startedAt: number;
  /** Whether the token of the stream is valid. */
  readonly trusted: boolean;
  readonly samples: readonly Sample[];
  readonly pauses: readonly PauseRecord[];
  /** The newest first. */
  readonly runs: readonly RunRecord[];
  readonly log: readonly LogLine[];
  /** How far the primary's clock is ahead of the browser's clock, ms. */
  readonly clockOffset: number;
}

export const emptyModel: Model = {
  status: null,
  startedAt: 0,
  trusted: false,
  samples: [],
  pauses: [],
  runs: [],
  log: [],
  clockOffset: 0,
};

const keptSamples = 600;
const keptPauses = 500;
const keptRuns = 50;
const keptLines = 2_000;

/** @param now the browser's clock, epoch ms */
export function apply(model: Model, { type, data }: ServerEvent, now: number): Model {
  const value: unknown = JSON.parse(data);
  switch (type) {
    case 'history': {
      const { startedAt, trusted, samples, pauses, runs, log } = value as History;
      const last = samples.at(-1);
      const clockOffset = last === undefined ? model.clockOffset : Date.parse(last.at) - now;
      return { ...emptyModel, startedAt: Date.parse(startedAt), trusted, samples, pauses, runs, log, clockOffset };
    }
    case 'status':
      return { ...model, status: value as ClusterStatus };
    case 'sample': {
      const sample = value as Sample;
      const samples = [...model.samples, sample].slice(-keptSamples);
      return { ...model, samples, clockOffset: Date.parse(sample.at) - now };
    }
    case 'pause': {
      const pause = value as PauseRecord;
      // A changed pause is always the last one.
      const others = model.pauses.at(-1)?.epoch === pause.epoch ? model.pauses.slice(0, -1) : model.pauses;
      return { ...model, pauses: [...others, pause].slice(-keptPauses) };
    }
    case 'run': {
      const run = value as RunRecord;
      const known = model.runs.some(({ id }) => id === run.id);
      const runs = known ? model.runs.map((each) => (each.id === run.id ? run : each)) : [run, ...model.runs];
      return { ...model, runs: runs.slice(0, keptRuns) };
    }
    case 'log':
      return { ...model, log: [...model.log, ...(value as LogLine[])].slice(-keptLines) };
    default:
      return model; // an event of a newer primary
  }
}

/** Returns the pause in progress. */
export function presentPause({ pauses }: Model): PauseRecord | undefined {
  const last = pauses.at(-1);
  return last?.to === undefined ? last : undefined;
}

/** Returns when the current phase started, epoch ms. */
export function phaseSince(model: Model): number {
  const last = model.pauses.at(-1);
  if (last === undefined) return model.startedAt;
  if (last.to !== undefined) return Math.max(model.startedAt, Date.parse(last.to));
  return Date.parse(model.status?.phase === 'quiesced' ? (last.drained ?? last.from) : last.from);
}

/** Returns the run in progress. */
export function presentRun({ status }: Model): RunRecord | null {
  const run = status?.run ?? null;
  return run !== null && run.endedAt === undefined ? run : null;
}
