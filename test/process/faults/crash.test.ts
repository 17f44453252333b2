/**
 * Crashes at any moment of a run, with readers all the while. `QUIESCE_CRASHES=200` for a long soak.
 */
import { expect } from 'chai';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '../../../dev/cluster/cluster.ts';
import { useClusters } from '../harness/clusters/clusters.ts';
import { until } from '../harness/until.ts';
import { putVersion, Readers } from '../harness/clients/versions.ts';

const crashes = Number(process.env['QUIESCE_CRASHES'] ?? 2);

const ways = [
  { strategy: 'scan', atomic: false },
  { strategy: 'two-phase', atomic: 'auto' },
  { strategy: 'swap', atomic: 'auto' },
];

/** What one primary leaves is finished by the next, whose configuration may be another: every pair has its turn. */
const wayOf = (version: number): (typeof ways)[number] =>
  ways[(2 * version + Math.floor(version / ways.length)) % ways.length]!;

describe('a primary that is killed at any moment of a run', function () {
  this.timeout(60_000 + crashes * 15_000);
  const clusters = useClusters();

  it('never shows a mixed collection, and loses no feed that was acknowledged', async () => {
    const cluster = await clusters.start({ quiesce: quiesce(1) });
    const readers = new Readers(cluster.url);
    const outcomes: string[] = [];
    try {
      const { ms } = await putVersion(cluster.url, 0);
      let acknowledged = 0;
      for (let version = 1; version <= crashes; version++) {
        // Spread over the whole of it, and elsewhere each time that this runs.
        const moment = (1.2 * ms * (version - Math.random())) / crashes;
        const sent = putVersion(cluster.url, version).catch(() => null);
        await delay(moment);
        await cluster.kill();
        const answer = await sent;
        if (answer?.status === 204) acknowledged = version;
        await cluster.configure(quiesce(version + 1));
        cluster.launch();
        await cluster.ready();
        const found = await versionsIn(cluster);
        const what = `killed ${moment.toFixed(0)} ms after the PUT (${wayOf(version).strategy})`;
        expect(found, what).to.have.length(1);
        expect(found[0], `${what}; a feed that was acknowledged`).to.be.at.least(acknowledged);
        const [newest] = await cluster.control.runs(1);
        const how = found[0] === version ? (newest?.notes ? 'rolled forward' : 'done') : 'not begun';
        outcomes.push(`${wayOf(version).strategy}, ${moment.toFixed(0)} ms: ${how}`);
      }
    } finally {
      await readers.stop();
      console.log(`        ${outcomes.join('\n        ')}\n        ${readers.pages} pages read`);
    }
    expect(readers.mixed, 'pages that showed two versions').to.deep.equal([]);
    expect(readers.pages).to.be.above(crashes);
  });

  function quiesce(version: number): Record<string, unknown> {
    const { uri, name } = clusters.database;
    return { mongodb: { uri, db: name }, sync: wayOf(version) };
  }

  async function versionsIn(cluster: Cluster): Promise<unknown[]> {
    // What the app shows once it serves, not what is in the database before.
    await until('the app to serve', async () => (await fetch(`${cluster.url}/api/resources?limit=1`)).ok, {
      within: 60_000,
    });
    return clusters.database.db.collection('resources').distinct('version');
  }
});
