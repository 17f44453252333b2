/**
 * Requests per second and 99th percentile against plain node:cluster with the same app, with both of its schedulings, in
 * rounds that measure each once; and the processor time of primary and workers for each request, which other work on
 * the machine disturbs less. The first row compares node:cluster with itself: what the machine alone makes of it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import autocannon from 'autocannon';
import { Load } from '../../dev/load/load.ts';
import { publish, sectionFor, show, spread, table } from '../report.ts';
import { processorTime } from './processor.ts';
import { instances, plainCluster, pm2, quiesce, type Running } from './subjects.ts';

const rounds = 7;
const seconds = 2;
/** What everybody else's numbers are ratios to: the same app under node:cluster with either scheduling. */
const references = [plainCluster('SCHED_NONE', 'os'), plainCluster('SCHED_RR', 'rr')] as const;
const subjects = [
  plainCluster('node:cluster, SCHED_NONE, once more', 'os'),
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

const quantities = ['rate', 'p99', 'cost'] as const;
const section = await sectionFor('throughput');
const rows: string[][] = [];
for (const [mode, drive] of modes) {
  const bases = [await references[0].start(), await references[1].start()];
  for (const subject of subjects) {
    const running = await subject.start();
    const all = [...bases, running];
    const ratios: Sample[][] = references.map(() => []);
    for (const each of all) await measure(each, drive); // warm
    for (let round = 0; round < rounds; round++) {
      // Each is first, second and third in turn: whatever drifts, drifts for all.
      const samples: Sample[] = [];
      for (let turn = 0; turn < all.length; turn++) {
        const which = (round + turn) % all.length;
        samples[which] = await measure(all[which]!, drive);
      }
      const own = samples.pop()!;
      for (const [index, other] of samples.entries()) {
        ratios[index]!.push({
          rate: own.rate / other.rate,
          p99: own.p99 / Math.max(1, other.p99),
          cost: own.cost / other.cost,
        });
      }
    }
    await running.stop();
    for (const [index, { name }] of references.entries()) {
      const figures = quantities.map((key) => show(spread(ratios[index]!.map((each) => each[key]))));
      rows.push([index === 0 ? subject.name : '', index === 0 ? mode : '', name, ...figures]);
      console.log(rows.at(-1)!.join(' | '));
    }
  }
  for (const base of bases) await base.stop();
}
await publish(
  section,
  `As ratios to node:cluster with the same app, ${rounds} rounds of ${seconds} s for each of the three:\n\n${table(
    ['supervisor', 'requests', 'compared with', 'throughput', 'p99', 'processor time for a request'],
    rows,
  )}`,
  'throughput',
);
