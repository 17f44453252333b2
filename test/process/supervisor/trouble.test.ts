import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { ClusterStatus } from '#quiesce/protocol/api/runs.js';
import type { Cluster } from '../../../dev/cluster/cluster.ts';
import { connectToWorkers } from '../../../dev/cluster/connection.ts';
import { Load } from '../../../dev/load/load.ts';
import { usePlainClusters } from '../harness/clusters/clusters.ts';
import { useSharedPlainCluster } from '../harness/clusters/shared-cluster.ts';

const app = fileURLToPath(new URL('../fixtures/trouble.js', import.meta.url));

/** How long each worker took from its fork until it served, and each replacement from the end of its predecessor to its fork, ms. */
function times({ output }: Cluster): { boots: number[]; forks: number[] } {
  const lines = output.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as LogLine] : []));
  const at = (text: string): number => lines.find(({ msg }) => msg.startsWith(text))?.time ?? NaN;
  const named = (pattern: RegExp): string[][] =>
    lines.flatMap(({ msg }) => (pattern.test(msg) ? [pattern.exec(msg)!.slice(1)] : []));
  return {
    boots: named(/^worker (\S+) serves$/).map(([name]) => at(`worker ${name} serves`) - at(`worker ${name} started`)),
    forks: named(/^worker (\d)\.(\d+) ended/).map(
      ([slot, count]) => at(`worker ${slot}.${Number(count) + 1} started`) - at(`worker ${slot}.${count} ended`),
    ),
  };
}

interface LogLine {
  readonly time: number;
  readonly msg: string;
}

/** Every slot of `status` serves, and slot `slot` with another process. */
function replaced(pid: number | null, count: number): (status: ClusterStatus) => boolean {
  return ({ workers }) =>
    workers.filter(({ state }) => state === 'serving').length === count && workers.every((each) => each.pid !== pid);
}

describe('a worker in trouble', function () {
  this.timeout(180_000);
  const clusters = usePlainClusters();

  it('that is killed is replaced after no more than its boot time, and nobody waits in vain for an answer', async () => {
    const cluster = await clusters.start({ script: app, instances: 2 });
    const load = new Load({ url: cluster.url, connections: 30, paths: ['/?ms=20'], pause: 40 });
    for (let kill = 0; kill < 3; kill++) {
      const { pid } = (await cluster.ready()).workers[kill % 2]!;
      process.kill(pid!, 'SIGKILL');
      await cluster.until('the replacement serves', replaced(pid, 2), 30_000);
    }
    const report = await load.stop();
    const { boots, forks } = times(cluster);
    expect(forks).to.have.length(3);
    expect(Math.max(...forks)).to.be.at.most(Math.max(...boots));
    // A connection that dies with its worker is reset, and nothing else is.
    expect(Object.keys(report.failures).filter((code) => code !== 'ECONNRESET')).to.deep.equal([]);
    expect(report.failed).to.be.at.most(30 * 3);
  });

  it('whose event loop is stuck is replaced after the heartbeat timeout, and the others serve on', async () => {
    const heartbeat = { interval: '200ms', timeout: '1500ms' };
    const cluster = await clusters.start({ script: app, instances: 2, quiesce: { heartbeat } });
    const [stuck, fine] = await connectToWorkers(cluster.url, 2, '/');
    const { workers } = await cluster.status();
    const { pid } = workers.find(({ slot }) => slot === stuck!.slot)!;
    const since = performance.now();
    const gone = stuck!.request('/block').catch((error: Error) => error);
    const load = setInterval(() => void fine!.request('/').catch(() => {}), 20);
    await cluster.until('the replacement serves', replaced(pid, 2));
    clearInterval(load);
    expect(performance.now() - since).to.be.at.least(1_300);
    expect((await fine!.request('/')).status).to.equal(200);
    expect(await gone).to.be.instanceOf(Error);
    await cluster.said(/no heartbeat for \d+ ms, its event loop is stuck \(last known delay [\d.]+ ms\)/);
    const after = await cluster.status();
    expect(after.workers.map(({ slot, restarts }) => [slot, restarts])).to.have.deep.members([
      [stuck!.slot, 1],
      [fine!.slot, 0],
    ]);
    await fine!.close();
  });

  it('that leaks 20 MB/s is found out before it has leaked for 2 s past its limit, and replaced with no failed request', async () => {
    const megabyte = 1024 * 1024;
    const limit = 160 * megabyte;
    const rate = 20;
    const cluster = await clusters.start({
      script: app,
      instances: 2,
      app: { max_memory_restart: '160M', kill_timeout: 15_000 },
    });
    const load = new Load({ url: cluster.url, connections: 10, paths: ['/?ms=20'], pause: 5 });
    const [leaky] = await connectToWorkers(cluster.url, 1, '/');
    const { pid } = (await cluster.status()).workers.find(({ slot }) => slot === leaky!.slot)!;
    await leaky!.request(`/leak?rate=${rate}`);
    // Beyond that it lives for as long as its replacement takes to boot.
    await cluster.said(/is to be replaced: it uses \d+ bytes/, 60_000);
    const [, memory] = /it uses (\d+) bytes/.exec(cluster.output)!;
    expect(Number(memory)).to.be.within(limit, limit + 2 * rate * megabyte);
    await cluster.until('it is gone', replaced(pid, 2), 60_000);
    await leaky!.close();
    expect((await load.stop()).failures).to.deep.equal({});
    await cluster.said(/ended with code 0: memory/);
  });
});

describe('a worker that ends right after it has printed', function () {
  this.timeout(60_000);
  const shared = useSharedPlainCluster({ script: app, instances: 1 });

  for (const [then, ending] of [
    ['exit', /ended with code 3/],
    ['throw', /ended with code 1: crash, thrown after the lines/],
    ['kill', /ended with SIGKILL: crash/],
  ] as const) {
    it(`leaves every line that reached the pipe in the log: ${then}`, async () => {
      const { cluster } = shared;
      const [connection] = await connectToWorkers(cluster.url, 1, '/');
      await connection!.request(`/lines?count=2000&then=${then}`).catch(() => {});
      await cluster.said(ending);
      const numbers = [...shared.output.matchAll(/"msg":"line (\d+) x{80}"/g)].map((match) => Number(match[1]));
      expect(numbers, 'in order, none twice, none left out').to.deep.equal(numbers.map((_, index) => index));
      // A process that kills itself has no time to wait for a full pipe: what it still held in memory never got there.
      if (then === 'kill') expect(numbers.length).to.be.at.least(100);
      else expect(numbers).to.have.length(2_000);
      await connection!.close();
    });
  }
});
