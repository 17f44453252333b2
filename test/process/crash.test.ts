/**
 * Crashes at any moment of a run, with readers all the while. `QUIESCE_CRASHES=200` for a long soak.
 */
import { expect } from 'chai';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '../../dev/cluster/cluster.ts';
import { useClusters } from './harness/clusters.ts';
import { until } from './harness/until.ts';
import { putVersion, Readers } from './harness/versions.ts';

const crashes = Number(process.env['QUIESCE_CRASHES'] ?? 4);

describe('a primary that is killed at any moment of a run', function () {
  this.timeout(60_000 + crashes * 15_000);
  const clusters = useClusters();

  for (const atomic of [false, 'auto']) {
    it(`never shows a mixed collection, and loses no feed that was acknowledged (atomic: ${atomic})`, async () => {
      const cluster = await clusters.start({ quiesce: quiesce(atomic) });
      const readers = new Readers(cluster.url);
      const outcomes = new Map<string, number>();
      try {
        const { ms } = await putVersion(cluster.url, 0);
        let acknowledged = 0;
        for (let version = 1; version <= crashes; version++) {
          const moment = (1.2 * ms * (version - 0.5)) / crashes; // spread over the whole of it
          const sent = putVersion(cluster.url, version).catch(() => null);
          await delay(moment);
          await cluster.kill();
          const answer = await sent;
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
