/** kill -9 of a worker under load: until its replacement listens, and the longest that a client waited. */
import { Load } from '../../dev/load/load.ts';
import { publish, show, spread, table } from '../report.ts';
import { plainCluster, pm2, quiesce } from './subjects.ts';

const kills = 12;
/** A client that has not been answered by then is taken to hang for ever, ms. */
const patience = 5_000;
const subjects = [
  quiesce('quiesce', 'os'),
  quiesce("quiesce, `scheduling: 'rr'`", 'rr'),
  plainCluster('node:cluster, SCHED_NONE', 'os'),
  plainCluster('node:cluster, SCHED_RR (its default)', 'rr'),
  pm2('PM2'),
];

const rows: string[][] = [];
for (const subject of subjects) {
  const replaced: number[] = [];
  const boots: number[] = [];
  const waits: number[] = [];
  let hanging = 0;
  let reset = 0;
  const running = await subject.start();
  for (let kill = 0; kill < kills; kill++) {
    await new Promise((resolve) => setTimeout(resolve, 1_200)); // past min_uptime: a healthy worker is killed
    // New connections all the while: one that is handed to a dead worker is what hangs.
    const load = new Load({ url: running.url, connections: 24, keepAlive: kill % 2 === 0, timeout: patience });
    await new Promise((resolve) => setTimeout(resolve, 500));
    const before = running.booted();
    const at = Date.now();
    process.kill(before.at(-1)!.pid, 'SIGKILL');
    while (running.booted().length === before.length) await new Promise((resolve) => setTimeout(resolve, 5));
    const replacement = running.booted().at(-1)!;
    replaced.push(replacement.at - at);
    boots.push((replacement.at - at) / replacement.boot);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const report = await load.stop();
    waits.push(report.latency.max);
    hanging += report.failures['unanswered'] ?? 0;
    reset += report.failed - (report.failures['unanswered'] ?? 0);
  }
  await running.stop();
  rows.push([
    subject.name,
    show(spread(replaced), 0),
    show(spread(boots)),
    show(spread(waits), 0),
    `${hanging} in ${kills} kills`,
    (reset / kills).toFixed(1),
  ]);
}
await publish(
  'kill',
  table(
    [
      'supervisor',
      'until the replacement listens, ms',
      'as a ratio to its own boot',
      'longest wait of a client, ms',
      `no answer within ${patience} ms`,
      'reset, for each kill',
    ],
    rows,
  ),
);
