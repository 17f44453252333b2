/** Memory and processor time of the supervising process itself: idle, and with 5,000 requests per second. */
import autocannon from 'autocannon';
import { Load } from '../../dev/load/load.ts';
import { publish, table } from '../report.ts';
import { processorTime, resident } from './processor.ts';
import { plainCluster, pm2, quiesce } from './subjects.ts';

const seconds = 10;
const rate = 5_000;
const subjects = [
  quiesce('quiesce', 'os'),
  quiesce("quiesce, `scheduling: 'rr'`", 'rr'),
  plainCluster('node:cluster', 'rr'),
  pm2('PM2'),
];

const rows: string[][] = [];
const connects: number[] = [];
for (const subject of subjects) {
  const running = await subject.start();
  const share = async (work: () => Promise<unknown>): Promise<string> => {
    const before = processorTime(running.primary);
    const since = performance.now();
    await work();
    return ((100 * (processorTime(running.primary) - before)) / (performance.now() - since)).toFixed(1);
  };
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const memory = resident(running.primary).toFixed(0);
  const idle = await share(() => new Promise((resolve) => setTimeout(resolve, seconds * 1_000)));
  const load = { url: running.url, connections: 50, duration: seconds, overallRate: rate };
  const keptAlive = await share(() => autocannon(load));
  const fresh = await share(async () => {
    const visitors = new Load({ url: running.url, connections: 25, keepAlive: false, pause: 25 });
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
    connects.push((await visitors.stop()).answered / seconds);
  });
  rows.push([subject.name, memory, resident(running.primary).toFixed(0), idle, keptAlive, fresh]);
  await running.stop();
}
await publish(
  'footprint',
  table(
    [
      'supervising process',
      'RSS, MB, idle',
      'after load',
      'idle, % of a core',
      `${rate} req/s, keep-alive, %`,
      `${Math.round(connects.reduce((a, b) => a + b) / connects.length)} new connections/s, %`,
    ],
    rows,
  ),
);
