/**
 * Brings a run to a phase and keeps it there: a body that does not end, a MongoDB that is silent, a request in flight.
 * For fixtures/app.ts: the first worker takes the run, and the last one has the request that keeps it draining.
 */
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterStatus, RunRecord } from '#quiesce/protocol/api/runs.js';
import type { Cluster } from '../../../../dev/cluster/cluster.ts';
import { json, linesTo, type Line, type Reply } from '../clients/lines.ts';
import type { MongoProxy } from '../mongodb/mongo-proxy.ts';
import { straggler, type Straggler } from '../clients/straggler.ts';

export const ownerSlot = 0;
export const bystanderSlot = 1;

export const syncPhases = ['uploading', 'preparing', 'draining', 'running'] as const;
export const exclusivePhases = ['draining', 'running'] as const;

/** A part of the feed has been written. */
export const isWriting = ({ run }: ClusterStatus): boolean =>
  run?.state === 'running' && run.progress?.step === 'write' && run.progress.done > 0;

export interface HeldRun {
  readonly run: RunRecord;
  /** What its caller gets; null where the connection broke. */
  readonly reply: Promise<Reply | null>;
  /** Lets it go on. */
  release(): Promise<void>;
}

export async function holdSync(
  cluster: Cluster,
  proxy: MongoProxy,
  phase: (typeof syncPhases)[number],
  items: unknown[],
): Promise<HeldRun> {
  const line = await lineToOwner(cluster);
  const body = JSON.stringify(items);
  const busy = phase === 'draining' || phase === 'running' ? await stragglerAtLast(cluster) : null;
  if (phase === 'preparing') proxy.silence();
  const { request, reply } = line.begin('/api/sync', { method: 'PUT', headers: json });
  request.write(body.slice(0, -1));
  if (phase !== 'uploading') request.end(body.slice(-1));
  if (phase === 'running') {
    await cluster.until('it drains', (status) => status.run?.state === 'draining');
    proxy.silence();
    await busy?.end();
  }
  const { run } = await cluster.until(`a feed is ${phase}`, (status) => status.run?.state === phase);
  return {
    run: run!,
    reply: orNull(reply, line),
    async release() {
      proxy.speak();
      if (phase === 'uploading') request.end(body.slice(-1));
      if (phase === 'draining') await busy?.end().catch(() => null); // it may have been killed
    },
  };
}

export async function holdExclusive(cluster: Cluster, phase: (typeof exclusivePhases)[number]): Promise<HeldRun> {
  const line = await lineToOwner(cluster);
  const busy = phase === 'draining' ? await stragglerAtLast(cluster) : null;
  const file = join(cluster.folder, randomUUID());
  if (phase === 'draining') await writeFile(file, '');
  const { request, reply } = line.begin(`/alone?until=${encodeURIComponent(file)}`, { method: 'POST' });
  request.end();
  const { run } = await cluster.until(`an exclusive run is ${phase}`, (status) => status.run?.state === phase);
  return {
    run: run!,
    reply: orNull(reply, line),
    async release() {
      await busy?.end().catch(() => null);
      await writeFile(file, '');
    },
  };
}

async function stragglerAtLast(cluster: Cluster): Promise<Straggler> {
  const { workers } = await cluster.status();
  return straggler(cluster, workers.length - 1);
}

async function lineToOwner(cluster: Cluster): Promise<Line> {
  const [line] = await linesTo(cluster.url, [ownerSlot]);
  return line!;
}

function orNull(reply: Promise<Reply>, line: Line): Promise<Reply | null> {
  return reply.catch(() => null).finally(() => line.close());
}
