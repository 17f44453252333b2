/**
 * Requests per second and 99th percentile against plain node:cluster with the same app, in paired rounds; and the
 * processor time of primary and workers for each request, which other work on the machine disturbs less.
 */
import { setTimeout as delay } from 'node:timers/promises';
import autocannon from 'autocannon';
import { Load } from '../../dev/load/load.ts';
import { publish, sectionFor, show, spread, table } from '../report.ts';
import { processorTime } from './processor.ts';
import { instances, plainCluster, pm2, quiesce, type Running } from './subjects.ts';

const rounds = 7;
const seconds = 2;
const reference = plainCluster('node:cluster, SCHED_RR (its default)', 'rr');
const subjects = [
  plainCluster('node:cluster, SCHED_NONE', 'os'),
  quiesce('quiesce', 'os'),
  quiesce('quiesce, the app with `gate()`', 'os', { GATE: '1' }),
  quiesce("quiesce, `scheduling: 'rr'`", 'rr'),
  pm2('PM2'),
];
const connections = 50;
const modes = [
  ['keep-alive', keptAlive],
  ['a connection for each request', connectionEach],
] as const;

interface Traffic {
  readonly requests: number;
  readonly seconds: number;
  readonly p99: number;
}

async function keptAlive(url: string): Promise<Traffic> {
  const { non2xx, errors, timeouts, requests, duration, latency } = await autocannon({
    url,
    connections,
    duration: seconds,
  });
  if (non2xx + errors + timeouts > 0) throw new Error(`${non2xx + errors + timeouts} requests failed`);
  return { requests: requests.total, seconds: duration, p99: latency.p99 };
}

/** Not by autocannon: with reconnectRate 1 it counts no answer. */
async function connectionEach(url: string): Promise<Traffic> {
  const load = new Load({ url, connections, keepAlive: false });
  await delay(seconds * 1_000);
  const { answered, failures, failed, duration, latency } = await load.stop();
  if (failed > 0) throw new Error(`requests failed: ${JSON.stringify(failures)}`);
  return { requests: answered, seconds: duration / 1_000, p99: latency.p99 };
}

interface Sample {
  readonly rate: number;
  readonly p99: number;
  /** Microseconds for each request. */
  readonly cost: number;
}

async function measure(running: Running, drive: (url: string) => Promise<Traffic>): Promise<Sample> {
  const pids = [
    running.primary,
    ...running
      .booted()
      .slice(-instances)
      .map(({ pid }) => pid),
  ];
  const used = (): number => pids.reduce((sum, pid) => sum + processorTime(pid), 0);
  const before = used();
  const { requests, seconds: took, p99 } = await drive(running.url);
  return { rate: requests / took, p99, cost: ((used() - before) * 1_000) / requests };
}

const rows: string[][] = [];
for (const [mode, drive] of modes) {
  const base = await reference.start();
  for (const subject of subjects) {
    const running = await subject.start();
    const ratios: Sample[] = [];
    await measure(base, drive); // both warm
    await measure(running, drive);
    for (let round = 0; round < rounds; round++) {
      // In turn first and second: whatever drifts, drifts for both.
      const first = round % 2 === 0 ? await measure(base, drive) : null;
      const own = await measure(running, drive);
      const other = first ?? (await measure(base, drive));
      ratios.push({ rate: own.rate / other.rate, p99: own.p99 / Math.max(1, other.p99), cost: own.cost / other.cost });
    }
    await running.stop();
    rows.push([
      subject.name,
      mode,
      ...(['rate', 'p99', 'cost'] as const).map((key) => show(spread(ratios.map((each) => each[key])))),
    ]);
    console.log(rows.at(-1)!.join(' | '));
  }
  await base.stop();
}
await publish(
  sectionFor('throughput'),
  `As ratios to ${reference.name} with the same app, ${rounds} pairs of ${seconds} s each:\n\n${table(
    ['supervisor', 'requests', 'throughput', 'p99', 'processor time for a request'],
    rows,
  )}`,
  'throughput',
);
