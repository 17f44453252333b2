/** A feed over HTTP into a real cluster: what its primary takes, and how long it lets others wait. */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Report } from '#quiesce/protocol/api/runs.js';
import { startCluster, type Cluster } from '../../dev/cluster/cluster.ts';
import { spread } from '../report.ts';
import type { Bench } from './bench.ts';
import type { Change } from './data.ts';

/** Rows as of `promises`. The change stays in the collection. */
export async function endToEnd(bench: Bench, change: Change): Promise<string[][]> {
  const collection = await bench.collection(change.size);
  const feed = await bench.feed(change);
  const mongodb = { uri: bench.uri, db: bench.db.databaseName };
  const cluster = await startCluster({ quiesce: { mongodb, sync: { collection } } });
  try {
    const { report, waits } = await sent(cluster, feed);
    const limit = 150e6 + 64 * change.size;
    const { paused, total } = report.timings;
    const { items, bytes } = report.feed;
    const what = `${items.toLocaleString('en')} items (${(bytes / 1e6).toFixed(0)} MB) over HTTP, ${change.count} changed`;
    const seconds = `paused ${paused.toFixed(0)} ms of ${(total / 1000).toFixed(1)} s`;
    const peak = await peakMemory(cluster.pid);
    return [
      [`${what}: time`, seconds, ''],
      [
        `${what}: peak memory of the primary, MB`,
        (peak / 1e6).toFixed(0),
        `≤ ${(limit / 1e6).toFixed(0)} (150 MB + 64 B for each item)`,
      ],
      [`${what}: longest answer of the primary meanwhile, ms`, spread(waits).max.toFixed(0), ''],
    ];
  } finally {
    await cluster.close();
  }
}

async function sent(cluster: Cluster, feed: string): Promise<{ report: Report; waits: number[] }> {
  const waits: number[] = [];
  let isOver = false;
  const watch = (async () => {
    while (!isOver) {
      const asked = performance.now();
      await cluster.status();
      waits.push(performance.now() - asked);
      await delay(50);
    }
  })();
  try {
    const response = await fetch(`${cluster.url}/api/sync`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json', Prefer: 'return=representation' },
      body: Readable.toWeb(createReadStream(feed, { highWaterMark: 1024 * 1024 })) as ReadableStream,
      duplex: 'half',
    });
    if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
    return { report: (await response.json()) as Report, waits };
  } finally {
    isOver = true;
    await watch;
  }
}

/** Bytes; Linux tells it of another process, elsewhere it is what it holds now. */
async function peakMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const peak = /VmHWM:\s+(\d+) kB/.exec(status);
  return peak ? Number(peak[1]) * 1024 : Number.NaN;
}
