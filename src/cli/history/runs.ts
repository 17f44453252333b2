/** `quiesce runs`: lists, shows, cancels and abandons runs. */
import { ControlClient } from '../control-client.ts';
import { findDataDir, type Target } from '../find-data-dir.ts';
import { duration, print, printJson, size } from '../output.ts';
import { askedBy, type SignedTarget } from '../orders/asked-by.ts';
import { historyOf } from './history-of.ts';
import { countsText, describeRun, purposeOf, stateText } from './run-text.ts';
import { table } from '../table.ts';
import { visibleIn } from '../../protocol/visible.ts';
import type { Report, RunRecord } from '../../protocol/api/runs.ts';

export interface RunsOptions extends Target {
  readonly json?: boolean;
  readonly limit: number;
}

export async function runs(id: string | undefined, options: RunsOptions): Promise<void> {
  const source = await historyOf(await findDataDir(options));
  if (id === undefined) {
    const items = await source.runs(options.limit);
    if (options.json) printJson(items);
    else print(items.length === 0 ? 'no runs yet' : listed(visibleIn(items)));
    return;
  }
  const run = await source.run(id);
  if (options.json) printJson(run);
  else print(renderRun(visibleIn(run)));
}

export async function cancel(id: string, options: SignedTarget): Promise<void> {
  print(describeRun(await new ControlClient(await findDataDir(options)).cancel(id, askedBy(options))));
}

export async function abandon(id: string, options: SignedTarget): Promise<void> {
  print(describeRun(await new ControlClient(await findDataDir(options)).abandon(id, askedBy(options))));
}

function listed(items: readonly RunRecord[]): string {
  const rows = items.map((run) => {
    const { id, kind, state, startedAt, endedAt, report, error } = run;
    return [
      id,
      kind,
      purposeOf(run),
      stateText(state),
      startedAt,
      endedAt === undefined ? '' : duration(Date.parse(endedAt) - Date.parse(startedAt)),
      report === undefined ? '' : duration(report.timings.paused),
      error?.code ?? (report === undefined ? '' : countsText(report.counts)),
    ];
  });
  return table(['id', 'kind', 'for', 'state', 'started', 'took', 'paused', 'result'], rows, [5, 6]);
}

function renderRun(run: RunRecord): string {
  const { owner, source, notes = [], report, error, kind } = run;
  const lines = [describeRun(run)];
  if (kind === 'sync' && run.collection !== undefined) lines.push(`  mirrors into ${purposeOf(run)}`);
  // Of a feed that the primary has fetched nobody sent a request.
  if (owner !== undefined && source === undefined)
    lines.push(`  requested by ${owner.method} ${owner.path} in slot ${owner.slot}.${owner.incarnation}`);
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
