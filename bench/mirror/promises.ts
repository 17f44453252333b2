/** What the mirror is held to, as ratios within each round. */
import { show, spread } from '../report.ts';
import type { Bench } from './bench.ts';

const changes = 1000;
const medium = { size: 100_000, count: changes };
const large = { size: 1_000_000, count: changes };

/** Rows: what, how it came out, what it has to be. */
export async function promises(bench: Bench, rounds: number): Promise<string[][]> {
  const scan: number[] = [];
  const twoPhase: number[] = [];
  const growth: number[] = [];
  const bulkGrowth: number[] = [];
  const idle: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const floor = await bench.measured('cursor and bulk', medium);
    const bulk = await bench.measured('bulk', medium);
    const scanned = await bench.measured('scan', medium);
    const phased = await bench.measured('two-phase', medium);
    const phasedLarge = await bench.measured('two-phase', large);
    const bulkLarge = await bench.measured('bulk', large);
    const empty = await bench.measured('two-phase', { ...medium, count: 0 });
    scan.push(scanned.pause / floor.total);
    twoPhase.push(phased.pause / bulk.total);
    growth.push(phasedLarge.pause / phased.pause);
    bulkGrowth.push(bulkLarge.pause / bulk.pause);
    idle.push(empty.pause);
    console.log([scan, twoPhase, growth, bulkGrowth, idle].map((values) => values.at(-1)!.toFixed(2)).join(' | '));
  }
  return [
    ['pause of a scan ÷ raw cursor and bulk, 1,000 of 100,000 items changed', show(spread(scan)), '≤ 0.75'],
    ['pause in two phases ÷ the bulk alone, the same', show(spread(twoPhase)), '≤ 1.5'],
    ['pause in two phases, 1,000 of 1,000,000 ÷ 1,000 of 100,000', show(spread(growth)), '≤ 1.3'],
    ['the bulk alone, likewise: what MongoDB itself takes longer', show(spread(bulkGrowth)), ''],
    ['pause where nothing has changed, ms', show(spread(idle), 0), 'none'],
  ];
}
