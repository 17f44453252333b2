/**
 * How long the site is paused while a feed is mirrored, in all the ways that come to mind, on one MongoDB in one run.
 *
 * SIZES and SHARES (per mille) take lists, ROUNDS a number. The slow ways have one round beyond 10,000 items, and none
 * at a million; nor has more than 100,000 changes there.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { startMongo } from '../../dev/mongodb/index.ts';
import { publish, show, spread, table } from '../report.ts';
import { Bench } from './bench.ts';
import { endToEnd } from './end-to-end.ts';
import type { Measured } from './measure.ts';
import { plot, type Line } from './plot.ts';
import { promises } from './promises.ts';
import { subjects, type SubjectName } from './subjects.ts';

const numbers = (name: string, preset: string): number[] => (process.env[name] ?? preset).split(',').map(Number);
const sizes = numbers('SIZES', '10000,100000,1000000');
const shares = numbers('SHARES', '0,1,10,100,1000');
const [rounds = 3] = numbers('ROUNDS', '3');
const small = 10_000;
const large = 1_000_000;
const mostChanges = 100_000;
const slow = new Set<SubjectName>(['naive', 'deep equal', 'stage and merge']);
const notAtSize = new Set<SubjectName>([...slow, 'stage and rename', 'swap']);
const floor: SubjectName = 'cursor and bulk';

const mongo = await startMongo();
const client = new MongoClient(mongo.uri);
const db = client.db(`quiesce_bench_${process.pid}`);
const folder = await mkdtemp(join(tmpdir(), 'quiesce-bench-'));
const bench = new Bench(mongo.uri, db, folder);
const rows: string[][] = [];
const lines = new Map<SubjectName, Line>();

function roundsOf(name: SubjectName, size: number): number {
  if (size >= large) return notAtSize.has(name) ? 0 : 1;
  return slow.has(name) && size > small ? 1 : rounds;
}

async function compare(size: number, share: number): Promise<void> {
  const change = { size, count: Math.floor((size * share) / 1000) };
  if (size >= large && change.count > mostChanges) return;
  const results = new Map<SubjectName, Measured[]>();
  for (let i = 0; i < rounds; i++) {
    for (const name of Object.keys(subjects) as SubjectName[]) {
      if (i >= roundsOf(name, size)) continue;
      results.set(name, [...(results.get(name) ?? []), await bench.measured(name, change)]);
    }
  }
  const base = results.get(floor)!;
  for (const [name, taken] of results) {
    const ratio = (of: 'pause' | 'total'): number[] => taken.map((one, i) => one[of] / base[i]!.total);
    const shown = (values: number[]): string =>
      values.length > 1 ? show(spread(values)) : spread(values).median.toFixed(2);
    rows.push([
      size.toLocaleString('en'),
      `${share / 10} %`,
      name,
      shown(ratio('pause')),
      shown(ratio('total')),
      spread(taken.map(({ pause }) => pause)).median.toFixed(0),
      (spread(taken.map(({ peakMemory }) => peakMemory)).max / 1e6).toFixed(0),
      spread(taken.map(({ loopDelay }) => loopDelay)).max.toFixed(0),
    ]);
    if (size === Math.min(100_000, Math.max(...sizes))) {
      const line = lines.get(name) ?? { name, points: [] };
      line.points.push([share / 10, spread(ratio('pause')).median]);
      lines.set(name, line);
    }
    console.log(rows.at(-1)!.join(' | '));
  }
}

try {
  const kept = sizes.includes(100_000) && sizes.includes(large) ? await promises(bench, rounds + 2) : [];
  for (const size of sizes) for (const share of shares) await compare(size, share);
  if (sizes.includes(large)) kept.push(...(await endToEnd(bench, { size: large, count: 1000 })));
  const head = ['items', 'changed', 'way', 'pause ÷ floor', 'total ÷ floor', 'pause, ms', 'peak memory, MB'];
  const figures = table([...head, 'loop delay p99, ms'], rows);
  const body = kept.length > 0 ? `${table(['what', 'is', 'has to be'], kept)}\n\n${figures}` : figures;
  await publish('mirror', body);
  await writeFile(
    new URL('../../../docs/mirror-pause.svg', import.meta.url),
    plot([...lines.values()], 'pause ÷ floor', '% of the items changed'),
  );
} finally {
  await db.dropDatabase();
  await client.close();
  await mongo.stop();
  await rm(folder, { recursive: true });
}
