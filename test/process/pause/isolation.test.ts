/** `QUIESCE_ISOLATION=20` runs it for so many seconds; a slow machine gets more, until all that is looked for was seen. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Db, Timestamp } from 'mongodb';
import { useClusters } from '../harness/clusters/clusters.ts';
import { rudeTraffic } from '../harness/clients/rude-traffic.ts';

const app = fileURLToPath(new URL('../fixtures/witness-app.js', import.meta.url));
const seconds = Number(process.env['QUIESCE_ISOLATION'] ?? 8);

const wanted = ['short', 'linger', 'orphan', 'large', 'upload', 'free'];

/** In ms of the monotonic clock. */
interface Interval {
  readonly kind: string;
  readonly begin: number;
  readonly end: number;
}

function intervals(record: string): { ended: Interval[]; open: string[] } {
  const begun = new Map<string, number>();
  const list: Interval[] = [];
  for (const line of record.trimEnd().split('\n')) {
    const [kind, id, mark, time] = line.split(' ') as [string, string, string, string];
    const at = Number(time) / 1e6;
    const begin = begun.get(id);
    if (mark === 'b') begun.set(id, at);
    else if (begin !== undefined) list.push({ kind, begin, end: at });
    if (mark === 'e') begun.delete(id);
  }
  return { ended: list, open: [...begun.keys()] };
}

function count(list: readonly Interval[]): Record<string, number> {
  const kinds: Record<string, number> = {};
  for (const { kind } of list) kinds[kind] = (kinds[kind] ?? 0) + 1;
  return kinds;
}

/** When each mirror wrote, by MongoDB's own clock of whole milliseconds: from its fence to the last document. */
async function mirrorWindows(db: Db, since: Timestamp): Promise<Interval[]> {
  await db.collection('sentinel').insertOne({});
  const wanted = { wallTime: 1, ns: 1, 'updateDescription.updatedFields.epoch': 1, 'fullDocument.epoch': 1 };
  const stream = db.watch([{ $project: wanted }], { startAtOperationTime: since });
  // From MongoDB's clock to the monotonic one.
  const offset = Number(process.hrtime.bigint()) / 1e6 - (performance.timeOrigin + performance.now());
  const windows: { kind: string; begin: number; end: number }[] = [];
  for await (const event of stream) {
    const { ns, wallTime, updateDescription, fullDocument } = event as unknown as {
      ns: { coll: string };
      wallTime: Date;
      updateDescription?: { updatedFields?: { epoch?: number } };
      fullDocument?: { epoch?: number };
    };
    if (ns.coll === 'sentinel') break;
    const at = wallTime.getTime() + offset;
    const taken = updateDescription?.updatedFields?.epoch ?? fullDocument?.epoch;
    if (ns.coll === 'quiesce.fence' && taken !== undefined) windows.push({ kind: 'mirror', begin: at + 1, end: at });
    const open = windows.at(-1);
    if (ns.coll === 'resources' && open) open.end = at;
  }
  return windows.filter(({ begin, end }) => end > begin);
}

function overlaps(list: readonly Interval[], windows: readonly Interval[]): string[] {
  return windows.flatMap((window) =>
    list
      .filter((each) => each !== window && each.begin < window.end && each.end > window.begin)
      .map(({ kind, begin, end }) => {
        const inside = Math.min(end, window.end) - Math.max(begin, window.begin);
        return `${kind} (${(end - begin).toFixed(2)} ms) for ${inside.toFixed(2)} ms in ${window.kind}`;
      }),
  );
}

describe('an exclusive run', function () {
  this.timeout(120_000 + seconds * 2_000);
  const clusters = useClusters();

  it('meets no handler of any worker, whatever clients do, and everybody who waits is answered', async () => {
    const { db } = clusters.database;
    const { folder } = await clusters.create();
    const record = join(folder, 'witness');
    const cluster = await clusters.start({ script: app, instances: 4, env: { WITNESS: record } });
    const { operationTime: since } = (await db.command({ ping: 1 })) as unknown as { operationTime: Timestamp };

    const end = performance.now() + seconds * 1_000;
    const hasSeenAll = (): boolean => {
      const seen = count(intervals(readFileSync(record, 'utf8')).ended);
      return wanted.every((kind) => (seen[kind] ?? 0) > 2) && (seen['alone'] ?? 0) > 1;
    };
    const isEnough = (): boolean => performance.now() > end + 60_000 || (performance.now() > end && hasSeenAll());
    const tally = await rudeTraffic(cluster.url, isEnough);
    await cluster.until(
      'all handlers have ended',
      ({ phase, workers }) => {
        return phase === 'serving' && workers.every(({ inFlight }) => inFlight === 0);
      },
      30_000,
    );

    const { ended: all, open } = intervals(await readFile(record, 'utf8'));
    expect(open, 'handlers that never ended').to.deep.equal([]);
    const gated = all.filter(({ kind }) => kind !== 'free' && kind !== 'alone');
    const alone = all.filter(({ kind }) => kind === 'alone');
    const mirrors = await mirrorWindows(db, since);
    const kinds = count(all);
    const told = [...tally.statuses].map(([status, count]) => `${count} × ${status}`).join(', ');
    console.log(`        ${alone.length} exclusive runs, ${mirrors.length} mirrors; ${told}; ${JSON.stringify(kinds)}`);

    expect(overlaps(gated, [...alone, ...mirrors])).to.deep.equal([]);
    expect(overlaps(alone, alone)).to.deep.equal([]);
    expect(overlaps(alone, mirrors)).to.deep.equal([]);
    expect(tally.failures).to.deep.equal([]);
    for (const status of tally.statuses.keys()) expect(status).to.be.oneOf([200, 204, 409, 503]);

    // That all of this was seen at all.
    expect(alone.length).to.be.above(1);
    for (const kind of wanted) expect(kinds[kind], kind).to.be.above(2);
    // A handler that is not gated is found in the middle of them: the clocks can tell.
    const free = all.filter(({ kind }) => kind === 'free');
    expect(overlaps(free, [...alone, ...mirrors])).to.not.deep.equal([]);
  });
});
