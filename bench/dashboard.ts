/**
 * What an open page costs the primary: five workers, 1,000 requests per second, and the page's own event stream open in
 * every other stretch of time. Then the stream stays open. `MINUTES` says for how long, 30 by default; the rest takes six.
 * Fails where the page costs more than it may.
 */
import autocannon from 'autocannon';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { startCluster } from '../dev/cluster/cluster.ts';
import { freePort } from '../dev/free-port.ts';
import { publish, show, spread, table } from './report.ts';
import { processorTime, resident } from './supervision/processor.ts';

const minutes = Number(process.env['MINUTES'] ?? 30);
const pairs = 5;
const stretch = 30_000;
/** What a page may cost: % of a core, MB. */
const limits = { processor: 1, memory: 20 };
const script = fileURLToPath(new URL('./supervision/app.js', import.meta.url));

const port = await freePort();
const cluster = await startCluster({ script, instances: 5, env: { GATE: '1' }, quiesce: { admin: { port } } });
const load = autocannon({
  url: cluster.url,
  connections: 50,
  overallRate: 1_000,
  duration: (2 * pairs * stretch) / 1_000 + minutes * 60 + 30,
});

const token = (await readFile(join(cluster.dataDir, 'admin.token'), 'utf8')).trim();

/** What the page reads once it is unlocked, the log included, thrown away. Resolves with how to close it. */
async function openPage(): Promise<{ bytes: () => number; close: () => void }> {
  const abort = new AbortController();
  const { ok, body } = await fetch(`http://127.0.0.1:${port}/api/events?detail=true`, {
    headers: { Authorization: `Bearer ${token}` },
    signal: abort.signal,
  });
  if (!ok) throw new Error('the page gets no events');
  let bytes = 0;
  const reading = (async () => {
    for await (const chunk of body!) bytes += (chunk as Uint8Array).length;
  })();
  reading.catch(() => {}); // it was closed
  return { bytes: () => bytes, close: () => abort.abort() };
}

/** Percent of a core over the time of the work. */
async function share(work: () => Promise<unknown>): Promise<number> {
  const before = processorTime(cluster.pid);
  const since = performance.now();
  await work();
  return (100 * (processorTime(cluster.pid) - before)) / (performance.now() - since);
}

await delay(10_000);
const without: number[] = [];
const withPage: number[] = [];
for (let pair = 0; pair < pairs; pair++) {
  without.push(await share(() => delay(stretch)));
  const page = await openPage();
  withPage.push(await share(() => delay(stretch)));
  page.close();
}
const before = resident(cluster.pid);
const page = await openPage();
let most = before;
const long = await share(async () => {
  const end = Date.now() + minutes * 60_000;
  while (Date.now() < end) {
    await delay(Math.min(5_000, Math.max(0, end - Date.now())));
    most = Math.max(most, resident(cluster.pid));
  }
});
const after = resident(cluster.pid);
const received = page.bytes();
page.close();
const { requests } = await load;
await cluster.close();

const more = withPage.map((value, index) => value - without[index]!);
await publish(
  'dashboard',
  `${table(
    ['the primary', 'no page open', 'a page open', 'what the page costs'],
    [['% of a core', show(spread(without)), show(spread(withPage)), show(spread(more))]],
  )}\n\nThen open for ${minutes} minutes: ${long.toFixed(2)} % of a core in all, ${(received / minutes / 60_000).toFixed(1)} kB/s sent; resident memory ${before.toFixed(0)} MB before, ${after.toFixed(0)} MB after, ${most.toFixed(0)} MB at most; ${requests.average.toFixed(0)} requests per second answered.`,
);

const costs = { processor: spread(more).median, memory: most - before };
if (costs.processor > limits.processor || costs.memory > limits.memory) {
  console.error(`More than ${limits.processor} % of a core or ${limits.memory} MB: ${JSON.stringify(costs)}`);
  process.exitCode = 1;
}
