/**
 * A day in a quarter of an hour: traffic all the while, and reloads, kills, holds, syncs, exclusive runs and scaling
 * at random. SOAK_MINUTES, default 15. Ends with an error where a request failed that should not have, where
 * something grew that should not grow, or where the counts do not add up.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MongoClient } from 'mongodb';
import { startCluster, type Cluster } from '../../dev/cluster/cluster.ts';
import { Load } from '../../dev/load/load.ts';
import { startMongo } from '../../dev/mongodb/index.ts';
import { publish, table } from '../report.ts';
import type { Probe } from './probe.ts';
import { makeTrouble, type Trouble } from './trouble.ts';

const minutes = Number(process.env['SOAK_MINUTES'] ?? 15);
const app = fileURLToPath(new URL('../../test/process/fixtures/app.js', import.meta.url));
const probe = new URL('./probe.js', import.meta.url).href;
/** A request that a killed worker had accepted is reset within this time, ms. */
const afterKill = 1_500;

interface Odd {
  readonly outcome: number | string;
  readonly began: number;
  readonly ended: number;
}

interface LogLine {
  readonly time: number;
  readonly msg: string;
  readonly to?: string;
}

const mongo = await startMongo();
const client = await MongoClient.connect(mongo.uri);
const db = client.db('soak');
const probeFile = join((await import('node:os')).tmpdir(), `quiesce-soak-${process.pid}`);
const cluster = await startCluster({
  script: app,
  instances: 3,
  quiesce: { mongodb: { uri: mongo.uri, db: 'soak' } },
  primaryEnv: { NODE_OPTIONS: `--import ${probe}`, PROBE_FILE: probeFile },
});
const { pid } = cluster;
const trouble: Trouble = { cluster, db, kills: [], counts: {} };
const odd: Odd[] = [];
const onOutcome = (outcome: number | string, began: number, ended: number): void => {
  if (outcome !== 200) odd.push({ outcome, began, ended });
};
const loads = [
  new Load({ url: cluster.url, paths: ['/work?ms=5', '/work', '/work?ms=40'], connections: 12, pause: 10, onOutcome }),
  new Load({ url: cluster.url, paths: ['/work?ms=2'], connections: 2, keepAlive: false, pause: 20, onOutcome }),
];
const end = Date.now() + minutes * 60_000;
const descriptors: number[] = [];
const counting = setInterval(() => descriptors.push(readdirSync(`/proc/${pid}/fd`).length), 1_000);
await makeTrouble(trouble, () => Date.now() > end);
const reports = await Promise.all(loads.map((load) => load.stop()));
await cluster.control.scale(3);
const { workers, phase, holds } = await cluster.until(
  'all is quiet',
  (status) =>
    status.phase === 'serving' &&
    status.workers.length === 3 &&
    status.workers.every((each) => each.state === 'serving' && each.inFlight === 0),
  30_000,
);
clearInterval(counting);

const problems: string[] = [];
const lines = cluster.output.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as LogLine] : []));
const pauses = pausesIn(lines);
for (const { outcome, began, ended } of odd) {
  // 503 is right while the gates are shut; a reset is right where the worker was killed.
  const fine =
    outcome === 503
      ? pauses.some(([from, to]) => began <= to + 500 && ended >= from - 500)
      : (outcome === 'ECONNRESET' || outcome === 'EPIPE') &&
        trouble.kills.some((at) => ended >= at - 50 && began <= at + afterKill);
  if (!fine)
    problems.push(
      `a request ended with ${outcome} at ${new Date(ended).toISOString()}, ${ended - began} ms after it began`,
    );
}
if (phase !== 'serving' || holds.length > 0) problems.push(`the cluster ended ${phase}`);
checkGrowth(problems);
checkCounts(cluster, problems);
await cluster.stop();
await cluster.close();
await client.close();
await mongo.stop();

const answered = reports.reduce((sum, report) => sum + report.answered, 0);
const failed = odd.filter(({ outcome }) => typeof outcome === 'string').length;
const refused = odd.filter(({ outcome }) => outcome === 503).length;
await publish(
  'soak',
  `${minutes} minutes: ${answered} requests answered, of them ${refused} with 503 while the gates were shut; ${failed} reset with one of ${trouble.kills.length} killed workers; ${pauses.length} pauses; ` +
    `longest wait ${Math.max(...reports.map(({ latency }) => latency.max)).toFixed(0)} ms. ${problems.length === 0 ? 'Nothing else failed, and nothing grew:' : `${problems.length} PROBLEMS.`}\n\n${growthTable()}\n\nAt random: ${Object.entries(
      trouble.counts,
    )
      .map(([name, count]) => `${count} × ${name}`)
      .join(', ')}.`,
);
for (const problem of problems.slice(0, 50)) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;

/** From the first word of a pause to its end. */
function pausesIn(log: readonly LogLine[]): [number, number][] {
  const found: [number, number][] = [];
  let from: number | null = null;
  for (const { time, to } of log) {
    if (to === 'draining' || to === 'quiesced') from ??= time;
    if (to !== 'serving' || from === null) continue;
    found.push([from, time]);
    from = null;
  }
  return from === null ? found : [...found, [from, Date.now()]];
}

function probes(): Probe[] {
  return readFileSync(probeFile, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Probe);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** The medians of the second and of the last sixth: the first is warming up. */
function parts(values: readonly number[]): [number, number] {
  const sixth = Math.max(1, Math.floor(values.length / 6));
  return [median(values.slice(sixth, 2 * sixth)), median(values.slice(-sixth))];
}

function series(): [string, readonly number[], number][] {
  const all = probes();
  const sum = (resources: Probe['resources']): number => Object.values(resources).reduce((a, b) => a + b, 0);
  return [
    ['resident memory, MB', all.map(({ rss }) => rss / 1024 / 1024), 40],
    ['heap, MB', all.map(({ heap }) => heap / 1024 / 1024), 20],
    ['timers, sockets and pipes', all.map(({ resources }) => sum(resources)), 12],
    ['listeners on process and cluster', all.map(({ listeners }) => listeners), 2],
    ['file descriptors', descriptors, 12],
  ];
}

function checkGrowth(found: string[]): void {
  for (const [name, values, allowed] of series()) {
    const [early, late] = parts(values);
    if (late - early > allowed) found.push(`${name} grew from ${early.toFixed(1)} to ${late.toFixed(1)}`);
  }
}

function growthTable(): string {
  return table(
    ['of the primary', 'after a sixth of the time', 'at the end', 'most'],
    series().map(([name, values]) => {
      const [early, late] = parts(values);
      return [name, early.toFixed(0), late.toFixed(0), Math.max(...values).toFixed(0)];
    }),
  );
}

/** Forks, ends and restarts as the log tells them, and as the status counts them. */
function checkCounts({ output }: Cluster, found: string[]): void {
  const started = [...output.matchAll(/"msg":"worker \d+\.\d+ started"/g)].length;
  const ended = [...output.matchAll(/"msg":"worker \d+\.\d+ ended/g)].length;
  if (started - ended !== workers.length) found.push(`${started} started, ${ended} ended, ${workers.length} are there`);
  const waiting = /MaxListenersExceededWarning|QUIESCE_PROTOCOL|was dropped/.exec(output);
  if (waiting) found.push(`the log has a ${waiting[0]}`);
}
