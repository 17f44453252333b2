/** What happens to a cluster in a day, in any order: each is done with it, and knows what it has to come to. */
import { createHash, randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Db } from 'mongodb';
import type { Cluster } from '../../dev/cluster/cluster.ts';

export interface Trouble {
  readonly cluster: Cluster;
  readonly db: Db;
  /** When a worker was killed, `Date.now()`. */
  readonly kills: number[];
  readonly counts: Record<string, number>;
}

type Action = (trouble: Trouble) => Promise<void>;

const json = { 'Content-Type': 'application/json' };

/** Only where another serves meanwhile: that nobody listens when all are killed is no news. */
async function kill({ cluster, kills }: Trouble): Promise<void> {
  const { workers } = await cluster.status();
  const serving = workers.filter(({ state }) => state !== 'starting' && state !== 'stopping' && state !== 'waiting');
  if (serving.length < 2 || serving.length < workers.length) return;
  kills.push(Date.now());
  process.kill(serving[randomInt(serving.length)]!.pid!, 'SIGKILL');
  await cluster.until(
    'the replacement serves',
    (status) => status.workers.every(({ state }) => state !== 'starting' && state !== 'waiting'),
    60_000,
  );
}

async function sync({ cluster, db }: Trouble): Promise<void> {
  const version = randomInt(1_000_000);
  const items = Array.from({ length: randomInt(200, 2_000) }, (_, id) => ({
    id,
    text: `item ${id}`,
    version: id % 10 ? 0 : version,
  }));
  const answer = await fetch(`${cluster.url}/api/sync?maxDeletes=100%`, {
    method: 'PUT',
    headers: { ...json, Connection: 'close' },
    body: JSON.stringify(items),
  }).catch(() => null);
  // 409 where another run is going on; nothing where its worker was killed.
  if (answer === null || answer.status !== 204) return void (await answer?.text());
  const digest = (all: { id?: unknown; _id?: unknown; version: number }[]): string =>
    createHash('sha1')
      .update(JSON.stringify(all.map((each) => [each.id ?? each._id, each.version])))
      .digest('hex');
  const found = await db.collection<{ _id: number; version: number }>('resources').find().sort({ _id: 1 }).toArray();
  const { run } = await cluster.status();
  // Nobody has begun another meanwhile: what is there is what was sent.
  if (run?.id === answer.headers.get('quiesce-run') && digest(found) !== digest(items)) {
    throw new Error(`after run ${run?.id} the collection is not the feed`);
  }
}

async function exclusive({ cluster }: Trouble): Promise<void> {
  await fetch(`${cluster.url}/alone?ms=${randomInt(20, 300)}`, { method: 'POST', headers: { Connection: 'close' } })
    .then((answer) => answer.text())
    .catch(() => '');
}

async function hold({ cluster }: Trouble): Promise<void> {
  await cluster.control.maintenance({ on: true, reason: 'soak' });
  await delay(randomInt(200, 1_500));
  await cluster.control.maintenance({ on: false });
}

/** A reload may meet a worker that is killed while it boots: then it says so, and the cluster serves on. */
async function reload({ cluster }: Trouble): Promise<void> {
  await cluster.control.reload().catch((error: { code?: string }) => {
    if (error.code !== 'boot-failed') throw error;
  });
}

async function scale({ cluster }: Trouble): Promise<void> {
  await cluster.control.scale(randomInt(2, 5)).catch((error: { code?: string }) => {
    if (error.code !== 'boot-failed') throw error;
  });
}

const actions: Record<string, Action> = { kill, sync, exclusive, hold, reload, scale };

/** Makes trouble until told; several kinds at once, as it comes. */
export async function makeTrouble(trouble: Trouble, until: () => boolean): Promise<void> {
  const names = Object.keys(actions);
  const lane = async (names: readonly string[]): Promise<void> => {
    while (!until()) {
      const name = names[randomInt(names.length)]!;
      trouble.counts[name] = (trouble.counts[name] ?? 0) + 1;
      await actions[name]!(trouble);
      await delay(randomInt(200, 4_000));
    }
  };
  // The second lane kills nobody, so that never all workers are gone.
  await Promise.all([lane(names), lane(names.filter((name) => name !== 'kill'))]);
}
