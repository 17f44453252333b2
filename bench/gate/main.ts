/** What the gate alone costs a request: the same app with and without it, each in a process of its own, in pairs. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { publish, sectionFor, show, spread, table } from '../report.ts';

const subject = fileURLToPath(new URL('./subject.js', import.meta.url));
const pairs = 7;
const kinds = [
  ['gate', '`gate()`'],
  ['excepting', '`gate({ except: [a path, a RegExp] })`'],
  ['server', 'the gate of an app that has none'],
] as const;

/** Nanoseconds of processor time for a request. */
async function cost(kind: string): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [subject, kind]);
  return Number(stdout);
}

const section = await sectionFor('gate');
const rows: string[][] = [];
for (const [kind, name] of kinds) {
  const costs: number[] = [];
  const ratios: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    // In turn first and second: whatever drifts, drifts for both.
    const first = pair % 2 === 0 ? await cost('none') : null;
    const own = await cost(kind);
    const none = first ?? (await cost('none'));
    costs.push(own - none);
    ratios.push(own / none);
  }
  rows.push([name, show(spread(costs), 0), show(spread(ratios))]);
}
await publish(
  section,
  table(['a request through', 'costs, ns of processor time', 'as a ratio to the same app without it'], rows),
  'gate',
);
