/** `quiesce sync`: sends a feed to an app, and prints the report. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ControlClient } from '../control-client.ts';
import { openFeed } from './feed-source.ts';
import { feedHeaders } from './feed-headers.ts';
import { findDataDir, isHeld, type Target } from '../find-data-dir.ts';
import { Interruption } from './interruption.ts';
import { print, printJson } from '../output.ts';
import { renderReport } from '../history/runs.ts';
import { countsText } from '../history/run-text.ts';
import { sendFeed } from './send-feed.ts';
import { FetchProgress, SyncProgress } from './sync-progress.ts';
import { QuiesceError } from '../../errors.ts';
import { dryRunReport } from '../../protocol/workers/messages.ts';
import type { MaxDeletes } from '../../protocol/feed/max-deletes.ts';
import { problem, report } from '../../protocol/api/runs.ts';
import { visibleIn, visibleLine } from '../../protocol/visible.ts';

export interface SyncOptions extends Target {
  readonly url?: string;
  readonly token?: string;
  readonly ndjson?: boolean;
  readonly csv?: boolean;
  readonly dryRun?: boolean;
  readonly maxDeletes?: MaxDeletes;
  readonly items?: string;
  readonly json?: boolean;
  readonly header?: readonly string[];
  readonly headerEnv?: readonly string[];
  readonly fetchTimeout?: number;
  readonly fetchMaxBytes?: number;
}

/** Limits for a feed that is fetched: ms, and bytes as transferred. */
const fetchLimits = { connect: 10_000, idle: 30_000, total: 10 * 60_000 };
const fetchMaxBytes = 1024 ** 3;

export async function sync(feed: string, options: SyncOptions): Promise<void> {
  const token = options.token ?? (process.env['QUIESCE_SYNC_TOKEN'] || undefined);
  const base = new URL(await baseUrl(options));
  // An address with a path is the address of the mirror's route.
  const url = base.pathname === '/' ? new URL('/api/sync', base) : base;
  if (options.dryRun) url.searchParams.set('dryRun', 'true');
  if (options.maxDeletes !== undefined) url.searchParams.set('maxDeletes', String(options.maxDeletes));
  if (options.items !== undefined) url.searchParams.set('items', options.items);
  const headers = feedHeaders(options.header, options.headerEnv);
  const interruption = new Interruption(url, options.dryRun ?? false);
  const terminal = process.stderr.isTTY ? process.stderr : undefined;
  const fetched = terminal && new FetchProgress(terminal);
  let bar: SyncProgress | undefined;
  const answer = await openFeed(feed, options.csv ? 'csv' : options.ndjson ? 'ndjson' : undefined, {
    headers,
    limits: { ...fetchLimits, total: options.fetchTimeout ?? fetchLimits.total },
    maxBytes: options.fetchMaxBytes ?? fetchMaxBytes,
    hints: { timeout: '--fetch-timeout', maxBytes: '--fetch-max-bytes', headers: '--header' },
    onProgress: (bytes, total) => fetched?.got(bytes, total),
  })
    .finally(() => fetched?.end())
    .then((source) => {
      bar = terminal && new SyncProgress(source.bytes, url, terminal);
      return sendFeed(url, source, {
        headers: {
          Prefer: 'return=representation',
          ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        },
        onProgress: (sent) => bar?.sent(sent),
        onSent: () => {
          interruption.sentAll();
          bar?.sentAll();
        },
      });
    })
    .finally(() => {
      interruption.over();
      bar?.end();
    });

  const body = parse(answer.text);
  if (answer.status >= 400) {
    const known = problem.safeParse(body);
    if (known.success) throw QuiesceError.fromProblem(known.data as Parameters<typeof QuiesceError.fromProblem>[0]);
    throw new QuiesceError(
      'run-failed',
      `${url.origin} answered ${answer.status}, and not as quiesce does: is ${url.pathname} the mirror's route?`,
    );
  }
  const dry = options.dryRun ? dryRunReport.safeParse(body) : undefined;
  const full = report.safeParse(body);
  if (options.json) printJson(body);
  else if (dry?.success) {
    print(`would be: ${countsText(dry.data.counts)} (${dry.data.feed.items} items, nothing was written)`);
    for (const note of dry.data.notes ?? []) print(visibleLine(`  ${note}`));
  } else if (full.success) print(renderReport(visibleIn(full.data)));
  else
    throw new QuiesceError(
      'run-failed',
      `${url.origin} answered ${answer.status} without a report: is ${url.pathname} the mirror's route?`,
    );
}

/** How long to wait until the app listens, ms: a deployment may send its feed right after the start. */
const startWait = 10_000;

async function baseUrl(options: SyncOptions): Promise<string> {
  if (options.url !== undefined) {
    if (URL.canParse(options.url) && /^https?:$/.test(new URL(options.url).protocol)) return options.url;
    throw new QuiesceError(
      'bad-usage',
      `--url cannot be ${options.url}; it takes an address such as http://127.0.0.1:3000.`,
    );
  }
  const client = new ControlClient(await findDataDir(options));
  for (const end = performance.now() + startWait; ;) {
    const isOver = performance.now() > end;
    const [first] = await client.urls().catch((error: unknown) => {
      if (isOver || !isStarting(client, error)) throw error;
      return [];
    });
    if (first !== undefined) return first;
    if (isOver) break;
    await sleep(200);
  }
  throw new QuiesceError(
    'no-primary',
    'The app does not listen yet. Try again in a moment, or name its address with --url.',
  );
}

/** Its primary has the lock, and does not listen on the control socket yet. */
function isStarting({ dataDir }: ControlClient, error: unknown): boolean {
  if (!(error instanceof QuiesceError) || error.code !== 'no-primary') return false;
  const { code } = (error.cause ?? {}) as NodeJS.ErrnoException;
  return (code === 'ENOENT' || code === 'ECONNREFUSED') && isHeld(dataDir);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
