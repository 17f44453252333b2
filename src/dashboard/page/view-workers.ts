/** Shows each worker with the last two minutes of its numbers. */
import type { Sample, WorkerSample } from '#quiesce/protocol/live.js';
import type { LastExit, WorkerStatus } from '#quiesce/protocol/runs.js';
import { cell, row, sayCell, type Column } from './cells.ts';
import { byId, each, set } from './dom.ts';
import { age, bytes, clock, count, duration, percent, rate } from './format.ts';
import type { Model } from './model.ts';
import { drawSparkline, sparkline } from './sparkline.ts';

/** The number of samples in a line, one per second. */
const shown = 120;
const columns: Column[] = [
  { label: 'Slot' },
  { label: 'State' },
  { label: 'In flight', number: true, spark: true },
  { label: 'Requests/s', number: true, spark: true },
  { label: 'CPU', number: true, spark: true },
  { label: 'Memory', number: true, spark: true },
  { label: 'Loop delay', number: true, spark: true },
  { label: 'Restarts', number: true },
  { label: 'Up for', number: true },
];
/** The values of the lines, and the least value of the upper edge: so that small noise looks small. */
const lines: readonly { column: number; of: (sample: WorkerSample) => number; least: number }[] = [
  { column: 2, of: (sample) => sample.inFlight, least: 5 },
  { column: 3, of: (sample) => sample.rate, least: 10 },
  { column: 4, of: (sample) => sample.cpu, least: 100 },
  { column: 5, of: (sample) => sample.memory, least: 100e6 },
  { column: 6, of: (sample) => sample.eventLoopDelay, least: 20 },
];

export function showWorkers({ status, samples }: Model): void {
  const recent = samples.slice(-shown);
  const scales = lines.map(({ of, least }) =>
    recent.reduce(
      (most: number, { workers }) => workers.reduce((max: number, worker) => Math.max(max, of(worker)), most),
      least,
    ),
  );
  each(
    byId('worker-rows'),
    status?.workers ?? [],
    ({ slot, incarnation }) => `${slot}.${incarnation}`,
    () => {
      const tr = row(columns);
      for (const { column } of lines) cell(tr, column).append(sparkline());
      return tr;
    },
    (tr, worker) => {
      const now = recent.at(-1)?.workers.find((each) => isSame(each, worker));
      sayCell(
        tr,
        0,
        String(worker.slot),
        `incarnation ${worker.incarnation}${worker.pid === null ? '' : `, pid ${worker.pid}`}`,
      );
      sayCell(
        tr,
        1,
        worker.state,
        worker.nextTry === undefined ? '' : `next try ${clock(new Date(worker.nextTry).getTime(), Date.now())}`,
      );
      const state = tr.cells[1]!.querySelector('.text')!;
      set(state, 'class', 'text state');
      set(state, 'data-state', worker.state);
      sayCell(tr, 2, count(worker.inFlight));
      sayCell(tr, 3, now === undefined ? '–' : rate(now.rate));
      sayCell(tr, 4, percent(worker.cpu));
      sayCell(tr, 5, worker.memory === 0 ? '–' : bytes(worker.memory));
      sayCell(tr, 6, duration(worker.eventLoopDelay));
      sayCell(tr, 7, count(worker.restarts), worker.lastExit === undefined ? '' : exitOf(worker.lastExit));
      set(tr.cells[7]!, 'title', worker.lastExit?.reason ?? null);
      sayCell(tr, 8, worker.pid === null ? '–' : age(worker.uptime));
      const own = recent.map((sample) => inSlot(sample, worker));
      lines.forEach(({ column, of }, index) => {
        const values = own.map((each) => (each === undefined ? null : of(each)));
        drawSparkline(tr.cells[column]!, values, shown, scales[index]!);
      });
    },
  );
}

function exitOf({ cause, code, signal, at }: LastExit): string {
  return `${cause}, ${signal ?? `code ${code}`}, ${clock(new Date(at).getTime(), Date.now())}`;
}

function isSame(a: { slot: number; incarnation: number }, b: { slot: number; incarnation: number }): boolean {
  return a.slot === b.slot && a.incarnation === b.incarnation;
}

/** Returns the sample of the worker, or of an earlier worker in its slot. */
function inSlot({ workers }: Sample, worker: WorkerStatus): WorkerSample | undefined {
  let found: WorkerSample | undefined;
  for (const each of workers) {
    if (each.slot === worker.slot && each.incarnation <= worker.incarnation) found = each;
  }
  return found;
}
