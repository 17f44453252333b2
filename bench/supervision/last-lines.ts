/** Of 2,000 lines that a worker prints just before it ends, how many the supervisor's log has. */
import { publish, table } from '../report.ts';
import { pm2, quiesce } from './subjects.ts';

const rows: string[][] = [];
for (const subject of [quiesce('quiesce', 'os'), pm2('PM2')]) {
  const kept: string[] = [];
  for (const then of ['exit', 'throw', 'kill']) {
    const running = await subject.start();
    await fetch(`${running.url}/lines?then=${then}`).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    kept.push(String([...running.log().matchAll(/line \d+ x{80}/g)].length));
    await running.stop();
  }
  rows.push([subject.name, ...kept]);
}
await publish('last-lines', table(['supervisor', '`process.exit()`', 'an error thrown', 'SIGKILL'], rows));
