/** Memory of a whole site at rest, process by process, and the time from the command until every worker listens. */
import { publish, show, spread, table } from '../report.ts';
import { childrenOf, proportional } from './processor.ts';
import { instances, plainCluster, pm2, quiesce, type Subject } from './subjects.ts';

const rounds = 5;
const settle = 3_000;
const kept = quiesce('quiesce start', 'os', {}, true);
const plain = plainCluster('node:cluster', 'os');
const subjects = [kept, quiesce('quiesce start --no-keeper', 'os'), plain, pm2('PM2')];

interface Measured {
  readonly keeper: number | null;
  readonly primary: number;
  readonly workers: number;
  readonly boot: number;
}

async function measure(subject: Subject): Promise<Measured> {
  const since = Date.now();
  const running = await subject.start();
  const boot = Math.max(...running.booted().map(({ at }) => at)) - since;
  await new Promise((resolve) => setTimeout(resolve, settle));
  const keeper = subject === kept ? running.primary : null;
  const primary = keeper === null ? running.primary : childrenOf(keeper)[0]!;
  const workers = running
    .booted()
    .slice(-instances)
    .map(({ pid }) => proportional(pid));
  const measured = {
    keeper: keeper === null ? null : proportional(keeper),
    primary: proportional(primary),
    workers: workers.reduce((sum, each) => sum + each, 0),
    boot,
  };
  await running.stop();
  return measured;
}

const whole = ({ keeper, primary, workers }: Measured): number => (keeper ?? 0) + primary + workers;
const rivals = subjects.map((subject) => ({ subject, measured: [] as Measured[] }));
// Once without a record: PM2 is installed by it, and files are read from the disk.
for (const { subject } of rivals) await measure(subject);
for (let round = 0; round < rounds; round++)
  for (const { subject, measured } of rivals) measured.push(await measure(subject));

const base = rivals.find(({ subject }) => subject === plain)!.measured;
const rows = rivals.map(({ subject, measured }) => [
  subject.name,
  measured[0]!.keeper === null ? 'none' : show(spread(measured.map(({ keeper }) => keeper ?? 0)), 0),
  show(spread(measured.map(({ primary }) => primary)), 0),
  show(spread(measured.map(({ workers }) => workers)), 0),
  show(spread(measured.map(whole)), 0),
  show(spread(measured.map((each, round) => whole(each) / whole(base[round]!)))),
  show(spread(measured.map(({ boot }) => boot)), 0),
  show(spread(measured.map(({ boot }, round) => boot / base[round]!.boot))),
]);
await publish(
  'whole',
  table(
    [
      'supervisor',
      'keeper, MB',
      'primary, MB',
      `${instances} workers, MB`,
      'all, MB',
      `as a ratio to ${plain.name}`,
      'from the command until every worker listens, ms',
      `as a ratio to ${plain.name}`,
    ],
    rows,
  ),
  'footprint',
);
