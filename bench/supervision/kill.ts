/** kill -9 of a worker under load, at each supervisor in turn: until its replacement listens, and the longest that a client waited. */
import { Load } from '../../dev/load/load.ts';
import { publish, show, spread, table } from '../report.ts';
import { plainCluster, pm2, quiesce, type Running } from './subjects.ts';

const kills = 12;
/** A client that has not been answered by then is taken to hang for ever, ms. */
const patience = 5_000;
const plain = plainCluster('node:cluster, SCHED_NONE', 'os');
const subjects = [
  quiesce('quiesce', 'os'),
  quiesce("quiesce, `scheduling: 'rr'`", 'rr'),
  plain,
  plainCluster('node:cluster, SCHED_RR (its default)', 'rr'),
  pm2('PM2'),
];

interface Kill {
  /** Until the replacement listens, ms. */
  readonly replaced: number;
  readonly boot: number;
  readonly longest: number;
  readonly hanging: number;
  readonly reset: number;
}

async function killOne(running: Running, keepAlive: boolean): Promise<Kill> {
  // New connections all the while: one that is handed to a dead worker is what hangs.
  const load = new Load({ url: running.url, connections: 24, keepAlive, timeout: patience });
  await new Promise((resolve) => setTimeout(resolve, 500));
  const before = running.booted();
  const at = Date.now();
  process.kill(before.at(-1)!.pid, 'SIGKILL');
  while (running.booted().length === before.length) await new Promise((resolve) => setTimeout(resolve, 5));
  const replacement = running.booted().at(-1)!;
  await new Promise((resolve) => setTimeout(resolve, 300));
  const { latency, failures, failed } = await load.stop();
  const hanging = failures['unanswered'] ?? 0;
  return {
    replaced: replacement.at - at,
    boot: replacement.boot,
    longest: latency.max,
    hanging,
    reset: failed - hanging,
  };
}

const rivals: { readonly name: string; readonly running: Running; readonly killed: Kill[] }[] = [];
for (const subject of subjects) rivals.push({ name: subject.name, running: await subject.start(), killed: [] });
await new Promise((resolve) => setTimeout(resolve, 1_200)); // past min_uptime: a healthy worker is killed
for (let kill = 0; kill < kills; kill++) {
  for (const { running, killed } of rivals) killed.push(await killOne(running, kill % 2 === 0));
}
for (const { running } of rivals) await running.stop();

const base = rivals[subjects.indexOf(plain)]!.killed;
const rows = rivals.map(({ name, killed }) => [
  name,
  show(spread(killed.map(({ replaced }) => replaced)), 0),
  show(spread(killed.map(({ replaced }, round) => replaced / base[round]!.replaced))),
  show(spread(killed.map(({ replaced, boot }) => replaced / boot))),
  show(spread(killed.map(({ longest }) => longest)), 0),
  `${killed.reduce((sum, { hanging }) => sum + hanging, 0)} in ${kills} kills`,
  (killed.reduce((sum, { reset }) => sum + reset, 0) / kills).toFixed(1),
]);
await publish(
  'kill',
  table(
    [
      'supervisor',
      'until the replacement listens, ms',
      `as a ratio to ${plain.name}`,
      'as a ratio to its own boot',
      'longest wait of a client, ms',
      `no answer within ${patience} ms`,
      'reset, for each kill',
    ],
    rows,
  ),
);
