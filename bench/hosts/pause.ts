/**
 * What a pause of two and three idle hosts costs, beside its floor in the same run: three writes in a row (drain, rest, begin),
 * each with majority and journal, and each seen by another client in its change stream. And what idle hosts cost: writes, and
 * CPU of a primary with and without a cluster name.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { startMongo } from '../../dev/mongodb/index.ts';
import { startHosts, type Host } from '../../test/process/harness/hosts/hosts.ts';
import { spansIn } from '../../test/process/harness/hosts/witness.ts';
import { spread, table } from '../report.ts';
import { processorTime } from '../supervision/processor.ts';

const rounds = Number(process.env['ROUNDS'] ?? 50);
const idle = Number(process.env['IDLE_SECONDS'] ?? 60);
const clock = (): number => Number(process.hrtime.bigint()) / 1e6;

const mongo = await startMongo();
const writer = await MongoClient.connect(mongo.uri);
const reader = await MongoClient.connect(mongo.uri);

/** Measures one write and its event, ms, until it is closed. */
async function floor(): Promise<{ measure: () => Promise<number>; close: () => Promise<void> }> {
  const collection = writer.db('floor').collection<{ _id: string; n: number }>('floor');
  await collection.insertOne({ _id: 'one', n: 0 });
  const stream = reader.db('floor').collection('floor').watch([], { maxAwaitTimeMS: 1_000 });
  let seen = (): void => {};
  stream.on('change', () => seen());
  await delay(500);
  const measure = async (): Promise<number> => {
    const event = new Promise<void>((resolve) => (seen = resolve));
    const since = clock();
    const options = { writeConcern: { w: 'majority', journal: true } } as const;
    await collection.findOneAndUpdate(
      { _id: 'one' },
      [{ $set: { n: { $toLong: '$$NOW' }, r: { $rand: {} } } }],
      options,
    );
    await event;
    return clock() - since;
  };
  return { measure, close: () => stream.close() };
}

/** From the request to its handler, ms: a claim, and then the pause. */
async function pause(host: Host, witness: string): Promise<number> {
  const since = clock();
  if ((await host.ask('/alone?ms=0', 'POST')) !== 200) throw new Error('an exclusive run was refused on idle hosts');
  return spansIn(witness).findLast(({ kind }) => kind === 'alone')!.begin - since;
}

/** Of the server, by everybody. */
async function writes(): Promise<number> {
  const { opcounters, metrics } = (await writer.db('admin').command({ serverStatus: 1 })) as unknown as {
    opcounters: { update: number };
    metrics: { commands: { findAndModify: { total: number } } };
  };
  return opcounters.update + Number(metrics.commands.findAndModify.total);
}

const writing = await floor();
const pauses: string[][] = [];
const costs: string[][] = [];
for (const number of [1, 2, 3]) {
  const folder = await mkdtemp(join(tmpdir(), 'quiesce-pause-'));
  const witness = join(folder, 'witness');
  await writeFile(witness, '');
  const cluster = number === 1 ? null : {};
  const names = ['A', 'B', 'C'].slice(0, number);
  const hosts = await startHosts(names, { uri: mongo.uri, db: `pause_${number}`, witness, instances: 1, cluster });
  await delay(3_000);
  const before = { cpu: processorTime(hosts[0]!.cluster.pid), writes: await writes() };
  await delay(idle * 1_000);
  const perMinute = (value: number): string => ((value * 60) / idle).toFixed(1);
  costs.push([
    number === 1 ? '1, without a name' : String(number),
    perMinute((await writes()) - before.writes),
    perMinute(processorTime(hosts[0]!.cluster.pid) - before.cpu),
  ]);
  if (number > 1) {
    const [floors, took]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      floors.push(await writing.measure());
      took.push(await pause(hosts[round % number]!, witness));
      for (const host of hosts) await host.serves();
    }
    const write = spread(floors).median;
    const whole = spread(took).median;
    const shown = [write, 3 * write, whole, whole - write].map((value) => value.toFixed(1));
    pauses.push([String(number), ...shown, ((whole - write) / (3 * write)).toFixed(2)]);
  }
  await Promise.all(hosts.map((host) => host.close()));
  await rm(folder, { recursive: true, force: true });
}
await writing.close();
await writer.close();
await reader.close();
await mongo.stop();
console.log(
  table(
    ['hosts', 'a write and its event, ms', 'floor', 'request to handler', 'without the claim', 'of the floor'],
    pauses,
  ),
);
console.log(table(['hosts', 'writes a minute', 'CPU of a primary, ms a minute'], costs));
