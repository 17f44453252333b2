/**
 * Requests per second and 99th percentile against plain node:cluster with the same app, in paired rounds; and the
 * processor time of primary and workers for each request, which other work on the machine disturbs less.
 */
import autocannon from 'autocannon';
import { publish, show, spread, table } from '../report.ts';
import { processorTime } from './processor.ts';
import { instances, plainCluster, pm2, quiesce, type Running } from './subjects.ts';

const rounds = 9;
const seconds = 2;
const reference = plainCluster('node:cluster, SCHED_RR (its default)', 'rr');
const subjects = [
  plainCluster('node:cluster, SCHED_NONE', 'os'),
  quiesce('quiesce', 'os'),
  quiesce('quiesce, the app with `gate()`', 'os', { GATE: '1' }),
  quiesce("quiesce, `scheduling: 'rr'`", 'rr'),
  pm2('PM2'),
];
const modes = [
  ['keep-alive', {}],
  ['a connection for each request', { reconnectRate: 1 }],
] as const;

interface Sample {
  readonly rate: number;
  readonly p99: number;
  /** Microseconds for each request. */
  readonly cost: number;
}

async function measure(running: Running, options: object): Promise<Sample> {
  const pids = [
    running.primary,
    ...running
      .booted()
      .slice(-instances)
      .map(({ pid }) => pid),
  ];
  const used = (): number => pids.reduce((sum, pid) => sum + processorTime(pid), 0);
  const before = used();
  const result = await autocannon({ url: running.url, connections: 50, duration: seconds, ...options });
  if (result.non2xx + result.errors + result.timeouts > 0)
    throw new Error(`requests failed: ${JSON.stringify(result.errors)}`);
  const requests = result.requests.total;
  return { rate: requests / result.duration, p99: result.latency.p99, cost: ((used() - before) * 1_000) / requests };
}

const rows: string[][] = [];
for (const [mode, options] of modes) {
  const base = await reference.start();
  for (const subject of subjects) {
    const running = await subject.start();
    const ratios: Sample[] = [];
    await measure(base, options); // both warm
    await measure(running, options);
    for (let round = 0; round < rounds; round++) {
      // In turn first and second: whatever drifts, drifts for both.
      const first = round % 2 === 0 ? await measure(base, options) : null;
      const own = await measure(running, options);
      const other = first ?? (await measure(base, options));
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
  'throughput',
  `As ratios to ${reference.name} with the same app, ${rounds} pairs of ${seconds} s each:\n\n${table(
    ['supervisor', 'requests', 'throughput', 'p99', 'processor time for a request'],
    rows,
  )}`,
);
