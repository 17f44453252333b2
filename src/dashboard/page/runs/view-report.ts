/** Shows the report of a run below its row. */
import type { Report, RunRecord } from '#quiesce/protocol/api/runs.js';
import { home } from '../place/address.ts';
import { detailRow, fillDetails } from '../parts/cells.ts';
import { el, svg } from '../parts/dom.ts';
import { bytes, count, duration } from '../parts/format.ts';
import type { Navigation } from '../place/navigation.ts';
import { mirrorText } from '../vendor/mirror-text.ts';
import { runSteps } from '../vendor/words.ts';

/** @param width of the table, in columns */
export function reportRow(run: RunRecord, width: number, navigation: Navigation): HTMLTableRowElement {
  const { id, report, error, notes = [], owner, source, epoch } = run;
  const facts: [string, string][] = [['Run', id]];
  const mirror = mirrorText(run.collection, run.scope);
  if (mirror !== '') facts.push(['Mirror', mirror]);
  if (source !== undefined) facts.push(['Fetched from', source]);
  else if (owner !== undefined) facts.push(['Asked for by', `${owner.method} ${owner.path} in slot ${owner.slot}`]);
  if (error !== undefined) facts.push(['Error', `${error.code}: ${error.detail}`]);
  if (report !== undefined) facts.push(...reportFacts(report));
  else if (epoch !== undefined) facts.push(['Epoch', String(epoch)]);
  for (const note of notes) facts.push(['Note', note]);
  const file = el('a', { href: `/api/runs/${encodeURIComponent(id)}`, download: `run-${id}.json` }, 'Download as JSON');
  const log = el('a', {}, 'Its lines in the log');
  navigation.follow(log, { log: { ...home.log, text: id } }, 'log');
  const links = el('p', { class: 'links' }, file, log);
  const tr = detailRow(width, [links], report === undefined ? null : timingBar(report));
  fillDetails(tr, facts);
  return tr;
}

function reportFacts({ counts, feed, timings, strategy, workers, refused, forced, epoch }: Report): [string, string][] {
  const times = runSteps.map((step) => `${step} ${duration(timings[step])}`);
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
  const parts = runSteps.map((step) => ({ step, ms: timings[step] }));
  const known = parts.reduce((sum, { ms }) => sum + ms, 0);
  const total = Math.max(timings.total, known, 0.1);
  const bar = svg('svg', {
    class: 'phases',
    viewBox: '0 0 1000 10',
    preserveAspectRatio: 'none',
    'aria-hidden': 'true',
  });
  let x = 0;
  for (const { step, ms } of [...parts, { step: 'rest', ms: total - known }]) {
    const width = (ms / total) * 1_000;
    if (width > 0)
      bar.append(
        svg('rect', { 'data-step': step, x, y: 0, width, height: 10 }, svg('title', {}, `${step} ${duration(ms)}`)),
      );
    x += width;
  }
  return bar;
}
