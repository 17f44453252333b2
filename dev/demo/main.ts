/**
 * `npm run demo`: a cluster of four workers with visitors on it, two PUTs of a feed at the same moment, and a second
 * feed a night later. It exits with 0 only where everything that it tells is true.
 */
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { MongoClient } from 'mongodb';
import { startCluster, type Cluster } from '../cluster/cluster.ts';
import { connectToWorkers } from '../cluster/connection.ts';
import { freePort } from '../free-port.ts';
import { startMongo } from '../mongodb/index.ts';
import { firstFeed, nextFeed } from './feed.ts';
import { interrupted, orInterrupted, wasInterrupted } from './interruption.ts';
import { checkQuiet, countsText, equalsFeed, sendAndTell, type Stage } from './run.ts';
import { Checks, heading, number, print, styled } from './timeline.ts';
import { Traffic } from './traffic.ts';

const workers = 4;
const visitors = 24;
const items = 10_000;

const { keep } = parseArgs({ options: { keep: { type: 'boolean', default: false } } }).values;

async function story(cluster: Cluster, stage: Stage): Promise<void> {
  const { db, checks } = stage;
  const [one, two] = await connectToWorkers(cluster.url, 2);
  if (one === undefined || two === undefined) throw new Error('two workers are needed');

  heading(`A feed of ${number(items)} items, sent to two workers at the same moment`);
  const first = firstFeed(items);
  await checkQuiet(stage, await sendAndTell(stage, [one, two], first), 'first feed');
  checks.that(await equalsFeed(db, first), 'first feed: the collection equals it, item by item', 'it does not');

  heading('The next feed: 1 % of the items changed');
  const next = nextFeed(first);
  const told = await sendAndTell(stage, [two], next.items);
  await checkQuiet(stage, told, 'second feed');
  checks.that(await equalsFeed(db, next.items), 'second feed: the collection equals it, item by item', 'it does not');
  const expected = { ...next, unchanged: items - next.updated - next.deleted };
  checks.that(
    countsText(told.report.counts) === countsText(expected),
    `second feed: only the differences were written (${countsText(expected)})`,
    `the report says ${countsText(told.report.counts)}`,
  );
  await Promise.all([one.close(), two.close()]);
}

function checkTraffic({ traffic, checks }: Stage): void {
  const { visits } = traffic;
  const served = visits.filter(({ outcome }) => outcome === 200).length;
  const refused = visits.filter(({ outcome }) => outcome === 503);
  const failed = visits.filter(({ outcome }) => outcome !== 200 && outcome !== 503);
  checks.that(
    failed.length === 0,
    `${number(visits.length)} requests of visitors: ${number(served)} served, ${number(refused.length)} refused with 503, none failed`,
    `${failed.length} failed, such as ${failed[0]?.outcome}`,
  );
  checks.that(
    refused.length > 0 && refused.every(({ retryAfter }) => retryAfter !== null && retryAfter >= 1),
    'every refusal said when to come back (Retry-After)',
    refused.length === 0 ? 'nobody was refused, so no pause was seen' : 'some did not',
  );
}

async function main(): Promise<boolean> {
  print(styled('bold', 'quiesce demo'));
  print('  starting MongoDB …');
  const mongo = await orInterrupted(startMongo({ log: (line) => print(`  ${line}`) }));
  const client = new MongoClient(mongo.uri);
  const db = client.db(`quiesce_demo_${randomBytes(4).toString('hex')}`);
  const adminPort = await freePort();
  print(`  starting a cluster of ${workers} workers …`);
  const cluster = await startCluster({
    script: fileURLToPath(new URL('./app.js', import.meta.url)),
    instances: workers,
    app: { name: 'demo' },
    quiesce: { mongodb: { uri: mongo.uri, db: db.databaseName }, admin: { port: adminPort } },
  });
  try {
    print(`  ${cluster.url} serves, ${visitors} visitors ask for /orders all the time`);
    const stage = { db, traffic: new Traffic(cluster.url, visitors), checks: new Checks() };
    await orInterrupted(story(cluster, stage), 120_000);
    await stage.traffic.stop();
    checkTraffic(stage);
    heading('Checks');
    const held = stage.checks.print();
    if (keep) await keepRunning(cluster, adminPort);
    return held;
  } catch (error) {
    if (!wasInterrupted()) print(cluster.output);
    throw error;
  } finally {
    await cluster.stop();
    await cluster.close();
    await db.dropDatabase();
    await client.close();
    await mongo.stop();
  }
}

async function keepRunning(cluster: Cluster, adminPort: number): Promise<void> {
  heading('It keeps running until Ctrl-C');
  print(`  app        ${cluster.url}/orders`);
  print(`  dashboard  http://127.0.0.1:${adminPort}/`);
  print(`  commands   npx quiesce status --data-dir ${cluster.dataDir}`);
  await Promise.race([interrupted, cluster.exited]);
}

try {
  const held = await main();
  print(held ? styled('green', '\nEvery check holds.') : styled('red', '\nA check does not hold.'));
  process.exit(held ? 0 : 1);
} catch (error) {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  print(styled('red', wasInterrupted() ? 'interrupted' : text));
  // Visitors and a story that were cut short may still be waiting for answers.
  process.exit(1);
}
