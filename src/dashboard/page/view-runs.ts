/** Shows the history of runs; each row opens to its report. */
import type { Counts, Report, RunRecord } from '#quiesce/protocol/runs.js';
import { row, sayCell, type Column } from './cells.ts';
import { byId, each, el, set, svg } from './dom.ts';
import { bytes, clock, count, duration } from './format.ts';
import { More } from './more.ts';
import { presentRun, type Model } from './model.ts';

const columns: Column[] = [
  { label: 'Began' },
  { label: 'State' },
  { label: 'Items', number: true },
  { label: 'Changes', wide: true },
  { label: 'Paused for', number: true },
  { label: 'Took', number: true },
];
const open = new Set<string>();
let more: More | null = null;

type Line = { readonly run: RunRecord; readonly report: boolean };

/** @param now the primary's clock, epoch ms */
export function showRuns(model: Model, now: number, changed: () => void): void {
  const present = presentRun(model);
  more ??= new More('more-runs', 'runs', changed);
  const runs = more.first(model.runs.map((run) => (run.id === present?.id ? present : run)));
  set(byId('no-runs'), 'hidden', runs.length > 0);
  const lines = runs.flatMap((run): Line[] => [
    { run, report: false },
    ...(open.has(run.id) ? [{ run, report: true }] : []),
  ]);
  each(
    byId('run-rows'),
    lines,
    ({ run, report }) => (report ? `${run.id} report ${run.state}` : run.id),
    ({ run, report }) => (report ? reportRow(run) : runRow(run.id, changed)),
    (tr, { run, report }) => {
      if (!report) fillRow(tr, run, now);
    },
  );
}

function runRow(id: string, changed: () => void): HTMLTableRowElement {
  const tr = row(columns);
  const button = el(
    'button',
    { type: 'button', class: 'link', 'aria-expanded': 'false', 'aria-label': `Report of run ${id}` },
    'Report',
  );
  button.addEventListener('click', () => {
    if (!open.delete(id)) open.add(id);
    set(button, 'aria-expanded', String(open.has(id)));
    changed();
  });
  tr.append(el('td', { role: 'cell', class: 'number' }, button));
  return tr;
}

function fillRow(tr: HTMLTableRowElement, run: RunRecord, now: number): void {
  const { report } = run;
  sayCell(
    tr,
    0,
    clock(Date.parse(run.startedAt), now),
    run.kind === 'sync' ? '' : `${run.owner?.method ?? ''} ${run.owner?.path ?? ''}`,
  );
  sayCell(tr, 1, run.state, run.error?.code ?? '');
  const state = tr.cells[1]!.querySelector('.text')!;
  set(state, 'class', 'text state');
  set(state, 'data-state', run.state);
  sayCell(tr, 2, report === undefined ? '–' : count(report.feed.items));
  sayCell(tr, 3, report === undefined ? '–' : changes(report.counts));
  sayCell(tr, 4, report === undefined ? '–' : duration(report.timings.paused));
  sayCell(tr, 5, took(run));
}

function took({ startedAt, endedAt, report }: RunRecord): string {
  if (report !== undefined) return duration(report.timings.total);
  return endedAt === undefined ? '–' : duration(Date.parse(endedAt) - Date.parse(startedAt));
}

function changes({ inserted, updated, deleted }: Counts): string {
  if (inserted + updated + deleted === 0) return 'none';
  const parts = [
    [inserted, 'new'],
    [updated, 'changed'],
    [deleted, 'gone'],
  ] as const;
  return parts
    .filter(([number]) => number > 0)
    .map(([number, name]) => `${count(number)} ${name}`)
    .join(', ');
}

function reportRow(run: RunRecord): HTMLTableRowElement {
  const { id, report, error, notes = [], owner, epoch } = run;
  const facts: [string, string][] = [['Run', id]];
  if (owner !== undefined) facts.push(['Asked for by', `${owner.method} ${owner.path} in slot ${owner.slot}`]);
  if (error !== undefined) facts.push(['Error', `${error.code}: ${error.detail}`]);
  if (report !== undefined) facts.push(...reportFacts(report));
  else if (epoch !== undefined) facts.push(['Epoch', String(epoch)]);
  for (const note of notes) facts.push(['Note', note]);
  const list = el('dl', {}, ...facts.flatMap(([name, text]) => [el('dt', {}, name), el('dd', {}, text)]));
  const content = el('div', { class: 'report' }, report === undefined ? null : timingBar(report), list);
  return el('tr', { role: 'row' }, el('td', { role: 'cell', colspan: columns.length + 1, class: 'whole' }, content));
}

function reportFacts({ counts, feed, timings, strategy, workers, refused, forced, epoch }: Report): [string, string][] {
  const times = (['upload', 'prepare', 'drain', 'scan', 'write'] as const).map(
    (step) => `${step} ${duration(timings[step])}`,
  );
  return [
    ['Times', `${times.join(', ')}; paused for ${duration(timings.paused)} of ${duration(timings.total)}`],
    [
      'Documents',
      `${count(counts.inserted)} inserted, ${count(counts.updated)} updated, ${count(counts.deleted)} deleted, ${count(counts.unchanged)} unchanged`,
    ],
    ['Feed', `${count(feed.items)} items, ${bytes(feed.bytes)}, ${feed.digest}`],
    ['Strategy', strategy],
    ['Cluster', `${workers} workers, epoch ${epoch}, ${count(refused)} requests refused, ${count(forced)} cut off`],
  ];
}

function timingBar({ timings }: Report): SVGSVGElement {
  const steps = (['upload', 'prepare', 'drain', 'scan', 'write'] as const).map((step) => ({ step, ms: timings[step] }));
  const known = steps.reduce((sum, { ms }) => sum + ms, 0);
  const total = Math.max(timings.total, known, 0.1);
  const bar = svg('svg', {
    class: 'phases',
    viewBox: '0 0 1000 10',
    preserveAspectRatio: 'none',
    'aria-hidden': 'true',
  });
  let x = 0;
  for (const { step, ms } of [...steps, { step: 'rest', ms: total - known }]) {
    const width = (ms / total) * 1_000;
    if (width > 0)
      bar.append(
        svg('rect', { 'data-step': step, x, y: 0, width, height: 10 }, svg('title', {}, `${step} ${duration(ms)}`)),
      );
    x += width;
  }
  return bar;
}
