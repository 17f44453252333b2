import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cluster } from '../../../../dev/cluster/cluster.ts';
import { linesTo, type Begun, type Reply } from './lines.ts';

export interface Straggler {
  readonly request: Begun['request'];
  /** Lets its handler end; resolves with its answer. */
  end(): Promise<Reply>;
}

/** A request whose handler is at work, in the worker of this slot, until it is told to end. For fixtures/app.ts. */
export async function straggler(cluster: Cluster, slot: number): Promise<Straggler> {
  const [line] = await linesTo(cluster.url, [slot]);
  const file = join(cluster.folder, randomUUID());
  const { request, reply, answered } = line!.begin(`/straggle?until=${encodeURIComponent(file)}`);
  answered.catch(() => {}); // a test may kill it on its way
  request.end();
  await answered;
  return {
    request,
    async end() {
      await writeFile(file, '');
      return reply.finally(() => line!.close());
    },
  };
}
