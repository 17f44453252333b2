/**
 * Requests that fail while a variable in the configuration is changed ten times, each time with the command that takes it,
 * and while the supervising process is replaced ten times. Half of the connections are kept, half are new for each request,
 * and each request takes 300 ms. QUIESCE_BENCH_TIMES: other than ten.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Load, type LoadReport } from '../../dev/load/load.ts';
import { publish, show, spread, table } from '../report.ts';
import { pm2, quiesce, type Running } from './subjects.ts';

const times = Number(process.env['QUIESCE_BENCH_TIMES'] ?? 10);
const rounds = 2;
const connections = 12;
/** How long an order has to take effect: PM2 answers before all its workers have been replaced. */
const patience = 15_000;
const orders = ['change', 'replace'] as const;
type Order = (typeof orders)[number];

const subjects = [
  {
    subject: quiesce('quiesce', 'os', {}, true),
    commands: { change: '`quiesce reload`', replace: '`quiesce reload --primary`' },
  },
  {
    subject: pm2('PM2'),
    commands: { change: '`pm2 reload <file> --update-env`', replace: '`pm2 update`' },
  },
  {
    subject: pm2('PM2, the app closes its server on SIGINT', { GRACEFUL: '1' }),
    commands: { change: '`pm2 reload <file> --update-env`', replace: '`pm2 update`' },
  },
];

interface Measured {
  /** Requests, of connections that are kept and of new ones. */
  readonly kept: LoadReport;
  readonly fresh: LoadReport;
  /** ms: the longest time in which no request at all was answered. */
  readonly silence: number;
  /** ms, of each command. */
  readonly took: readonly number[];
  /** After how many of the orders every worker had the change, and none the one before. */
  readonly inForce: number;
}

/** Whether each of several answers in a row tells of this change before {@link patience} is over. */
async function isInForce(url: string, value: string): Promise<boolean> {
  const answers = 8;
  for (let same = 0, deadline = Date.now() + patience; Date.now() < deadline;) {
    const told = await fetch(new URL('/change', url), { headers: { connection: 'close' } }).then(
      (answer) => answer.text(),
      () => undefined,
    );
    same = told === value ? same + 1 : 0;
    if (same === answers) return true;
    await delay(20);
  }
  return false;
}

async function measure(running: Running, order: Order): Promise<Measured> {
  const { url } = running;
  // Both start with a change that is in force, which `replace` must not lose.
  await running.change!('0');
  await isInForce(url, '0');
  const answers: number[] = [];
  const onOutcome = (outcome: number | string, _began: number, ended: number): void =>
    void (outcome === 200 && answers.push(ended));
  const load = { url, paths: ['/?ms=300'], connections, onOutcome };
  const loads = [true, false].map((keepAlive) => new Load({ ...load, keepAlive }));
  await delay(1_000);
  const took: number[] = [];
  let inForce = 0;
  for (let time = 1; time <= times; time++) {
    const value = order === 'change' ? String(time) : '0';
    const since = performance.now();
    await (order === 'change' ? running.change!(value) : running.replace!());
    took.push(performance.now() - since);
    inForce += Number(await isInForce(url, value));
  }
  await delay(2_000);
  const [kept, fresh] = await Promise.all(loads.map((each) => each.stop()));
  const sorted = answers.toSorted((one, other) => one - other);
  const silence = Math.max(0, ...sorted.slice(1).map((at, index) => at - sorted[index]!));
  return { kept: kept!, fresh: fresh!, silence, took, inForce };
}

const all = orders.flatMap((order) => subjects.map((each) => ({ ...each, order, measured: [] as Measured[] })));
// One after another in each round, so that a busy minute is one for all.
for (let round = 0; round < rounds; round++)
  for (const { subject, order, measured } of all) {
    const running = await subject.start();
    await delay(1_500);
    measured.push(await measure(running, order));
    await running.stop();
  }

const rows = all.map(({ subject, commands, order, measured }) => {
  const own = all.find((each) => each.order === order)!.measured;
  const of = (value: (each: Measured) => number, digits = 0): string => show(spread(measured.map(value)), digits);
  const mean = ({ took }: Measured): number => took.reduce((sum, each) => sum + each, 0) / took.length / 1_000;
  return [
    subject.name,
    commands[order],
    of(({ kept }) => kept.failed),
    of(({ fresh }) => fresh.failed),
    of(({ fresh }) => fresh.failures['ECONNREFUSED'] ?? 0),
    of(({ kept, fresh }) => kept.answered + fresh.answered),
    of(({ silence }) => silence),
    of(mean, 1),
    show(spread(measured.map((each, round) => mean(each) / mean(own[round]!)))),
    of(({ inForce }) => inForce),
  ];
});
await publish(
  'replaced',
  table(
    [
      'supervisor',
      `command, ${times} times`,
      'failed, on kept connections',
      'failed, each on a new connection',
      'of these refused',
      'answered',
      'longest time without an answer, ms',
      'one command, s',
      'as a ratio to quiesce',
      'changes in force',
    ],
    rows,
  ),
);
