/** Shows each worker with the last two minutes of its numbers; each row opens to its process and its last exit. */
import type { Sample, WorkerSample } from '#quiesce/protocol/api/live.js';
import type { LastExit, WorkerStatus } from '#quiesce/protocol/api/runs.js';
import { home, toggled } from '../place/address.ts';
import { cell, detailRow, fillDetails, row, sayCell, sayState, type Column, type Facts } from '../parts/cells.ts';
import { byId, each, el, say, set } from '../parts/dom.ts';
import { age, bytes, clock, count, duration, percent, rate, workerWords } from '../parts/format.ts';
import type { Model } from '../live/model.ts';
import type { Navigation } from '../place/navigation.ts';
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

type Line = { readonly worker: WorkerStatus; readonly details: boolean };

export function showWorkers({ status, samples }: Model, navigation: Navigation): void {
  const recent = samples.slice(-shown);
  const scales = lines.map(({ of, least }) =>
    recent.reduce(
      (most: number, { workers }) => workers.reduce((max: number, worker) => Math.max(max, of(worker)), most),
      least,
    ),
  );
  const open = navigation.address.workers;
  each(
    byId('worker-rows'),
    (status?.workers ?? []).flatMap((worker): Line[] => [
      { worker, details: false },
      ...(open.includes(worker.slot) ? [{ worker, details: true }] : []),
    ]),
    ({ worker: { slot, incarnation }, details }) => `${slot}.${incarnation}${details ? ' details' : ''}`,
    ({ worker: { slot }, details }) => (details ? workerDetails(slot, navigation) : workerRow(slot, navigation)),
    (tr, { worker, details }) => {
      if (details) return fillDetails(tr, factsOf(worker));
      fillRow(tr, worker, recent, open.includes(worker.slot));
      const own = recent.map((sample) => inSlot(sample, worker));
      lines.forEach(({ column, of }, index) => {
        const values = own.map((each) => (each === undefined ? null : of(each)));
        drawSparkline(tr.cells[column]!, values, shown, scales[index]!);
      });
    },
  );
}

function workerRow(slot: number, navigation: Navigation): HTMLTableRowElement {
  const tr = row(columns);
  const button = el('button', { type: 'button', class: 'fold', 'aria-label': `Worker ${slot}` }, String(slot));
  button.addEventListener('click', () => navigation.go({ workers: toggled(navigation.address.workers, slot) }));
  tr.cells[0]!.replaceChildren(button, el('span', { class: 'sub' }));
  for (const { column } of lines) cell(tr, column).append(sparkline());
  return tr;
}

function fillRow(tr: HTMLTableRowElement, worker: WorkerStatus, recent: readonly Sample[], isOpen: boolean): void {
  const now = recent.at(-1)?.workers.find((each) => isSame(each, worker));
  const [button, pid] = tr.cells[0]!.children;
  set(tr, 'data-open', isOpen);
  set(button!, 'aria-expanded', String(isOpen));
  say(pid!, worker.pid === null ? '' : `pid ${worker.pid}`);
  const next = worker.nextTry === undefined ? '' : `next try ${time(worker.nextTry)}`;
  sayState(tr, 1, workerWords[worker.state], worker.state, next);
  sayCell(tr, 2, count(worker.inFlight));
  sayCell(tr, 3, now === undefined ? '–' : rate(now.rate));
  sayCell(tr, 4, percent(worker.cpu));
  sayCell(tr, 5, worker.memory === 0 ? '–' : bytes(worker.memory));
  sayCell(tr, 6, duration(worker.eventLoopDelay));
  sayCell(tr, 7, count(worker.restarts), worker.lastExit === undefined ? '' : exitOf(worker.lastExit));
  sayCell(tr, 8, worker.pid === null ? '–' : age(worker.uptime));
}

function workerDetails(slot: number, navigation: Navigation): HTMLTableRowElement {
  const log = el('a', {}, 'Its lines in the log');
  navigation.follow(log, { log: { ...home.log, from: String(slot) } }, 'log');
  return detailRow(columns.length, [el('p', {}, log)]);
}

function factsOf({ pid, incarnation, lastExit }: WorkerStatus): Facts {
  const facts: [string, string][] = [
    ['Process', `${pid === null ? 'none' : `pid ${pid}`}, number ${incarnation} in this slot (its incarnation)`],
    ['Last exit', lastExit === undefined ? 'none that was unexpected' : exitOf(lastExit)],
  ];
  if (lastExit?.reason !== undefined) facts.push(['Why', lastExit.reason]);
  return facts;
}

function exitOf({ cause, code, signal, at }: LastExit): string {
  return `${cause}, ${signal ?? `code ${code}`}, ${time(at)}`;
}

function time(at: string): string {
  return clock(Date.parse(at), Date.now());
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
