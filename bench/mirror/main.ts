/**
 * How long the site is paused while a feed is mirrored, in all the ways that come to mind, on one MongoDB in one run.
 *
 * SIZES and SHARES (per mille) take lists, ROUNDS a number. The slow ways are left out from a million items on.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MongoClient } from 'mongodb';
import { startMongo } from '../../dev/mongodb/index.ts';
import { publish, show, spread, table } from '../report.ts';
import { load, writeFeed, type Change, type Item } from './data.ts';
import type { Measured, Order } from './measure.ts';
import { plot, type Line } from './plot.ts';
import { subjects, type SubjectName } from './subjects.ts';

const numbers = (name: string, preset: string): number[] => (process.env[name] ?? preset).split(',').map(Number);
const sizes = numbers('SIZES', '10000,100000,1000000');
const shares = numbers('SHARES', '0,1,10,100,1000');
const [rounds = 3] = numbers('ROUNDS', '3');
const large = 1_000_000;
const slow = new Set<SubjectName>(['naive', 'deep equal', 'stage and merge', 'stage and rename', 'swap']);
const floor: SubjectName = 'cursor and bulk';

const mongo = await startMongo();
const db = `quiesce_bench_${process.pid}`;
const client = new MongoClient(mongo.uri);
const collection = client.db(db).collection<Item>('items');
const folder = await mkdtemp(join(tmpdir(), 'quiesce-bench-'));
const rows: string[][] = [];
const lines = new Map<SubjectName, Line>();
let round = 0;

async function measured(subject: SubjectName, change: Change, feed: string): Promise<Measured> {
  const child = fork(fileURLToPath(new URL('./measure.js', import.meta.url)));
  child.send({ subject, uri: mongo.uri, db, change, feed, folder, round: ++round } satisfies Order);
  const [result] = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => [null])]);
  if (result === null) throw new Error(`${subject} failed`);
  await once(child, 'exit');
  return result as Measured;
}

async function compare(change: Change, share: number): Promise<void> {
  const feed = join(folder, 'feed.json');
  await writeFeed(feed, change);
  const names = (Object.keys(subjects) as SubjectName[]).filter((name) => change.size < large || !slow.has(name));
  const results = new Map<SubjectName, Measured[]>(names.map((name) => [name, []]));
  for (let i = 0; i < rounds; i++)
    for (const name of names) results.get(name)!.push(await measured(name, change, feed));
  const base = results.get(floor)!;
  for (const [name, taken] of results) {
    const ratio = (of: 'pause' | 'total'): string => show(spread(taken.map((one, i) => one[of] / base[i]!.total)));
    const pauses = spread(taken.map(({ pause }) => pause));
    rows.push([
      change.size.toLocaleString('en'),
      `${share / 10} %`,
      name,
      ratio('pause'),
      ratio('total'),
      pauses.median.toFixed(0),
      (spread(taken.map(({ peakMemory }) => peakMemory)).max / 1e6).toFixed(0),
      spread(taken.map(({ loopDelay }) => loopDelay)).max.toFixed(0),
    ]);
    if (change.size === Math.min(100_000, Math.max(...sizes))) {
      const line = lines.get(name) ?? { name, points: [] };
      line.points.push([share / 10, spread(taken.map((one, i) => one.pause / base[i]!.total)).median]);
      lines.set(name, line);
    }
    console.log(rows.at(-1)!.join(' | '));
  }
}

try {
  for (const size of sizes) {
    await load(collection, size);
    for (const share of shares) await compare({ size, count: Math.floor((size * share) / 1000) }, share);
  }
  const head = [
    'items',
    'changed',
    'way',
    'pause ÷ floor',
    'total ÷ floor',
    'pause, ms',
    'peak memory, MB',
    'loop delay p99, ms',
  ];
  await publish('mirror', table(head, rows));
  await writeFile(
    new URL('../../../docs/mirror-pause.svg', import.meta.url),
    plot([...lines.values()], 'pause ÷ floor', '% of the items changed'),
  );
} finally {
  await client.db(db).dropDatabase();
  await client.close();
  await mongo.stop();
  await rm(folder, { recursive: true });
}
