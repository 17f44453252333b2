/**
 * Crashes at any moment of a run, with readers all the while. `QUIESCE_CRASHES=200` for a long soak.
 */
import { expect } from 'chai';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '../../dev/cluster/cluster.ts';
import { useClusters } from './harness/clusters.ts';
import { until } from './harness/until.ts';

const crashes = Number(process.env['QUIESCE_CRASHES'] ?? 6);
const items = 3_000;

describe('a primary that is killed at any moment of a run', function () {
  this.timeout(60_000 + crashes * 15_000);
  const clusters = useClusters();

  for (const atomic of [false, 'auto']) {
    it(`never shows a mixed collection, and loses no feed that was acknowledged (atomic: ${atomic})`, async () => {
      const cluster = await clusters.start({ quiesce: quiesce(atomic) });
      const readers = new Readers(cluster.url);
      const outcomes = new Map<string, number>();
      try {
        const { ms } = await put(cluster, 0);
        let acknowledged = 0;
        for (let version = 1; version <= crashes; version++) {
          const moment = (1.2 * ms * (version - 0.5)) / crashes; // spread over the whole of it
          const put1 = put(cluster, version).catch(() => null);
          await delay(moment);
          await cluster.kill();
          const answer = await put1;
          if (answer?.status === 204) acknowledged = version;
          cluster.launch();
          await cluster.ready();
          const found = await versionsIn(cluster);
          expect(found, `killed ${moment.toFixed(0)} ms after the PUT`).to.have.length(1);
          expect(found[0], 'a feed that was acknowledged').to.be.at.least(acknowledged);
          const [newest] = await cluster.control.runs(1);
          const how = found[0] === version ? (newest?.notes ? 'rolled forward' : 'done') : 'not begun';
          outcomes.set(how, (outcomes.get(how) ?? 0) + 1);
        }
      } finally {
        await readers.stop();
      }
      console.log(
        `        ${crashes} kills: ${[...outcomes].map(([how, times]) => `${times} ${how}`).join(', ')}; ${readers.pages} pages read`,
      );
      expect(readers.mixed, 'pages that showed two versions').to.deep.equal([]);
      expect(readers.pages).to.be.above(crashes);
    });
  }

  function quiesce(atomic: unknown): Record<string, unknown> {
    const { uri, name } = clusters.database;
    return { mongodb: { uri, db: name }, sync: { atomic, strategy: 'scan' } };
  }

  async function versionsIn(cluster: Cluster): Promise<unknown[]> {
    // What the app shows once it serves, not what is in the database before.
    await until('the app to serve', async () => (await fetch(`${cluster.url}/api/resources?limit=1`)).ok);
    return clusters.database.db.collection('resources').distinct('version');
  }
});

async function put(cluster: Cluster, version: number): Promise<{ status: number; ms: number }> {
  const started = performance.now();
  const feed = Array.from({ length: items }, (_, id) => ({ id, version, text: 'x'.repeat(200) }));
  const { status } = await fetch(`${cluster.url}/api/sync`, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(feed),
  });
  return { status, ms: performance.now() - started };
}

/** Clients that look at each page they get: all of its items come from one feed. */
class Readers {
  pages = 0;
  readonly mixed: unknown[] = [];
  readonly #loops: Promise<void>[];
  #running = true;

  constructor(url: string) {
    this.#loops = [0, 1].map((reader) => this.#read(`${url}/api/resources?limit=1000&after=${reader * 900}`));
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#loops);
  }

  async #read(url: string): Promise<void> {
    while (this.#running) {
      try {
        const response = await fetch(url);
        const page = (await response.json()) as { items?: { version: number }[] };
        if (response.ok && page.items) {
          this.pages++;
          const versions = new Set(page.items.map(({ version }) => version));
          if (versions.size > 1) this.mixed.push([...versions]);
        }
      } catch {
        // Nobody answers while the primary is gone.
      }
      await delay(20);
    }
  }
}
