/** `quiesce runs`: lists, shows, cancels and abandons runs. */
import Table from 'cli-table3';
import { ControlClient } from '../control-client.ts';
import { findDataDir, type Target } from '../find-data-dir.ts';
import { duration, plainTable, print, printJson, size, styled } from '../output.ts';
import { historyOf } from './history-of.ts';
import { visibleIn } from '../../protocol/visible.ts';
import type { Counts, Report, RunRecord, RunState } from '../../protocol/runs.ts';

export interface RunsOptions extends Target {
  readonly json?: boolean;
  readonly limit: number;
}

export async function runs(id: string | undefined, options: RunsOptions): Promise<number> {
  const source = await historyOf(await findDataDir(options));
  if (id === undefined) {
    const items = await source.runs(options.limit);
    if (options.json) printJson(items);
    else print(items.length === 0 ? 'no runs yet' : table(visibleIn(items)));
    return 0;
  }
  const run = await source.run(id);
  if (options.json) printJson(run);
  else print(renderRun(visibleIn(run)));
  return 0;
}

export async function cancel(id: string, options: Target): Promise<number> {
  print(describeRun(await new ControlClient(await findDataDir(options)).cancel(id)));
  return 0;
}

export async function abandon(id: string, options: Target): Promise<number> {
  print(describeRun(await new ControlClient(await findDataDir(options)).abandon(id)));
  return 0;
}

const ended: Partial<Record<RunState, 'green' | 'red' | 'magenta'>> = {
  succeeded: 'green',
  failed: 'red',
  abandoned: 'magenta',
};

function stateText(state: RunState): string {
  return styled(ended[state] ?? 'cyan', state);
}

export function countsText(counts: Counts): string {
  return Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
}

/** Describes a run in one line. */
export function describeRun(run: RunRecord): string {
  const { id, kind, state, startedAt, progress, report, error } = visibleIn(run);
  const far =
    progress === undefined || ended[state] !== undefined
      ? ''
      : `, ${progress.step} ${progress.done}${progress.total === undefined ? '' : ` of ${progress.total}`}`;
  const what = report === undefined ? '' : `, ${countsText(report.counts)}`;
  return `${id} (${kind}) ${stateText(state)}, begun ${startedAt}${far}${what}${error === undefined ? '' : `: ${error.detail}`}`;
}

function table(items: readonly RunRecord[]): string {
  const rows = new Table(plainTable(['id', 'kind', 'state', 'begun', 'took', 'paused', 'result'], [4, 5]));
  for (const { id, kind, state, startedAt, endedAt, report, error } of items) {
    const took = endedAt === undefined ? '' : duration(Date.parse(endedAt) - Date.parse(startedAt));
    const result = error?.code ?? (report === undefined ? '' : countsText(report.counts));
    rows.push([
      id,
      kind,
      stateText(state),
      startedAt,
      took,
      report === undefined ? '' : duration(report.timings.paused),
      result,
    ]);
  }
  return rows.toString();
}

function renderRun(run: RunRecord): string {
  const { owner, notes = [], report, error } = run;
  const lines = [describeRun(run)];
  if (owner !== undefined)
    lines.push(`  asked for by ${owner.method} ${owner.path} in slot ${owner.slot}.${owner.incarnation}`);
  if (report !== undefined) lines.push(...reportLines(report));
  if (error !== undefined) lines.push(`  ${error.code}: ${error.detail}`);
  lines.push(...notes.map((note) => `  ${note}`));
  return lines.join('\n');
}

/** Formats a report for people. */
export function renderReport(report: Report): string {
  return [`run ${report.id}, epoch ${report.epoch}: ${countsText(report.counts)}`, ...reportLines(report)].join('\n');
}

function reportLines({ feed, timings, strategy, workers, refused, forced }: Report): string[] {
  return [
    `  feed     ${feed.items} items, ${size(feed.bytes)}`,
    `  total    ${duration(timings.total)}: upload ${duration(timings.upload)}, prepare ${duration(timings.prepare)}, ` +
      `drain ${duration(timings.drain)}, scan ${duration(timings.scan)}, write ${duration(timings.write)}`,
    `  paused   ${duration(timings.paused)}, ${workers} workers, ${refused} requests refused${forced === 0 ? '' : `, ${forced} cut off`}`,
    `  strategy ${strategy}`,
  ];
}
