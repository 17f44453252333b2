import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Cluster } from '../../dev/cluster/cluster.ts';
import { useClusters } from './harness/clusters.ts';
import { until } from './harness/until.ts';
import { scratchFolders } from '../unit/scratch.ts';

const app = fileURLToPath(new URL('./fixtures/clock-app.js', import.meta.url));

interface Note {
  readonly id: string;
  readonly what: 'begin' | 'end';
  readonly kind: 'work' | 'alone';
  readonly host: string;
  readonly at: number;
}

describe('several hosts of one cluster', () => {
  const clusters = useClusters();
  const scratch = scratchFolders();
  let witness: string;

  beforeEach(() => {
    witness = join(scratch(), 'witness');
  });

  async function start(names: readonly string[], cluster: object = {}): Promise<Cluster[]> {
    const hosts = await Promise.all(
      names.map((name) =>
        clusters.start({
          script: app,
          primaryEnv: { QUIESCE_UNFINISHED_CLUSTER: '1' },
          env: { WITNESS: witness, HOST_NAME: name },
          quiesce: {
            mongodb: { uri: clusters.database.uri, db: clusters.database.name },
            cluster: { name: 'site', lease: '4s', eviction_grace: '1s', ...cluster },
          },
        }),
      ),
    );
    for (const host of hosts)
      await until('the host serves', async () => (await host.control.status()).phase === 'serving');
    return hosts;
  }

  function notes(): Note[] {
    return readFileSync(witness, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Note);
  }

  /** Handlers that were at work beside an exclusive one, by their own clocks. */
  function overlaps(): string[] {
    const all = notes();
    const spans = all
      .filter(({ what }) => what === 'begin')
      .map((note) => ({ ...note, end: all.find(({ id, what }) => id === note.id && what === 'end')?.at ?? Infinity }));
    const alone = spans.filter(({ kind }) => kind === 'alone');
    return alone.flatMap((each) =>
      spans
        .filter((other) => other.id !== each.id && other.at < each.end && other.end > each.at)
        .map((other) => `${other.kind} of ${other.host} beside an exclusive run of ${each.host}`),
    );
  }

  async function ask(host: Cluster, path: string, method = 'GET'): Promise<number> {
    const answer = await fetch(host.url + path, { method, headers: { Connection: 'close' } }).catch(() => null);
    await answer?.text().catch(() => '');
    return answer?.status ?? 0;
  }

  /** Asks all hosts all the time; returns how to end that, with the statuses that came. */
  function hammer(hosts: readonly Cluster[]): () => Promise<Set<number>> {
    const statuses = new Set<number>();
    let goesOn = true;
    const asking = hosts.map(async (host) => {
      while (goesOn) {
        statuses.add(await ask(host, '/work'));
        await delay(3);
      }
    });
    return async () => {
      goesOn = false;
      await Promise.all(asking);
      return statuses;
    };
  }

  it('pause together for an exclusive run of any of them, one at a time', async () => {
    const hosts = await start(['A', 'B', 'C']);
    const end = hammer(hosts);
    const answers: number[] = [];
    for (let round = 0; round < 3; round++) {
      answers.push(...(await Promise.all(hosts.map((host) => ask(host, '/alone?ms=60', 'POST')))));
      for (const host of hosts)
        await until('the host serves', async () => (await host.control.status()).phase === 'serving');
    }
    const statuses = await end();
    expect(overlaps()).to.deep.equal([]);
    expect(answers.filter((status) => status === 200).length, 'one of those that come together runs').to.be.at.least(3);
    for (const status of answers) expect(status).to.be.oneOf([200, 409]);
    for (const status of statuses) expect(status).to.be.oneOf([200, 503]);
    expect(notes().filter(({ kind, what }) => kind === 'work' && what === 'end').length).to.be.above(20);
  });
});
