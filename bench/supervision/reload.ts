/** Requests that fail while a cluster is reloaded three times and scaled up and down, and how long that takes. */
import { Load } from '../../dev/load/load.ts';
import { publish, show, spread, table } from '../report.ts';
import { pm2, quiesce } from './subjects.ts';

const rounds = 2;
const loads = [
  ['short', '/'],
  ['of 300 ms', '/?ms=300'],
] as const;
const subjects = [
  quiesce('quiesce', 'os'),
  quiesce("quiesce, `scheduling: 'rr'`", 'rr'),
  pm2('PM2'),
  pm2('PM2, the app closes its server on SIGINT', { GRACEFUL: '1' }),
];

const rows: string[][] = [];
for (const [kind, path] of loads) {
  for (const subject of subjects) {
    const failed: number[] = [];
    const answered: number[] = [];
    const took: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const running = await subject.start();
      const load = new Load({ url: running.url, paths: [path], connections: 24 });
      await new Promise((resolve) => setTimeout(resolve, 500));
      const since = performance.now();
      for (let reload = 0; reload < 3; reload++) await running.reload!();
      took.push((performance.now() - since) / 3_000);
      await running.scale!(4);
      await running.scale!(2);
      await new Promise((resolve) => setTimeout(resolve, 2_000)); // PM2 answers before its workers have ended
      const report = await load.stop();
      failed.push(report.failed);
      answered.push(report.answered);
      await running.stop();
    }
    rows.push([subject.name, kind, show(spread(failed), 0), show(spread(answered), 0), show(spread(took), 1)]);
  }
}
await publish('reload', table(['supervisor', 'requests in flight', 'failed', 'answered', 'one reload, s'], rows));
