import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { endFaults, faults, type Fault } from '../harness/hosts/host-faults.ts';
import { scrape } from '../harness/scrape.ts';
import { hammer, startHosts, type Host } from '../harness/hosts/hosts.ts';
import { blockedAtFence, lockFence } from '../harness/mongodb/fence-lock.ts';
import { discard, newDatabase, type TestDatabase } from '../harness/mongodb/mongo.ts';
import { until } from '../harness/until.ts';
import { clock } from '#quiesce/monotonic.js';
import { outlasted, overlapsIn, type Freeze } from '../harness/hosts/witness.ts';

/** Each case so often, by `npm run campaign:hosts`; without it a few cases, once. */
const rounds = Number(process.env['QUIESCE_CAMPAIGN'] ?? 0);
/** In a campaign long enough that a machine which tests something else at the same time evicts nobody by that. */
const lease = rounds > 0 ? 10_000 : 6_000;
const grace = 1_000;
const margin = 1_000;
/** Until the others go on: a host that is overdue is looked for each second, and a machine that tests has other work. */
const within = lease + grace + margin + 5_000;
/** Until the watchdog of a worker has its turn, once the worker goes on. */
const moment = 2_000;

/** `writing`: a feed is about to be written. What its host sends later must not reach the collection. */
const phases = ['serving', 'draining', 'running', 'writing'] as const;
const victims = ['owner', 'bystander'] as const;

interface Case {
  readonly fault: Fault;
  readonly phase: (typeof phases)[number];
  readonly victim: (typeof victims)[number];
}

const all: Case[] = faults.flatMap((fault) =>
  phases.flatMap((phase) =>
    victims
      // Without a run nobody owns one; and only its owner writes.
      .filter((victim) => (phase === 'serving' ? victim === 'bystander' : phase !== 'writing' || victim === 'owner'))
      .map((victim) => ({ fault, phase, victim })),
  ),
);
/** The owner is stopped with its handler in the middle; a host is partitioned with a request in flight. */
const short = all.filter(
  ({ fault: { name }, phase, victim }) =>
    (name.startsWith('a stop of primary and') && phase === 'running' && victim === 'owner') ||
    (name.startsWith('a partition') && phase === 'draining' && victim === 'bystander'),
);

describe('a host that is lost', function () {
  this.timeout(180_000);
  let hosts: Host[] = [];
  let database: TestDatabase | undefined;
  let folder: string;
  let witness: string;
  const frozen: Freeze[] = [];

  before('two hosts', async () => {
    database = await newDatabase();
    folder = await mkdtemp(join(tmpdir(), 'quiesce-hosts-'));
    witness = join(folder, 'witness');
    await writeFile(witness, '');
    hosts = await startHosts(['owner', 'bystander'], {
      uri: database.uri,
      db: database.name,
      witness,
      instances: 1,
      proxied: true,
      cluster: { lease: `${lease}ms`, eviction_grace: `${grace}ms` },
      quiesce: { maintenance: { drain_timeout: '40s' } },
    });
  });

  afterEach('nothing is stopped', function () {
    endFaults();
    if (this.currentTest?.state === 'failed')
      for (const { name, cluster } of hosts) console.error(`--- ${name}\n${cluster.output}`);
  });

  after('hosts ended', async function () {
    this.timeout(60_000);
    await Promise.all(hosts.splice(0).map((host) => host.close()));
    await discard(database);
    await rm(folder, { recursive: true, force: true });
  });

  /** Both hosts in that phase; returns how the handlers that keep them there are let go. */
  async function bringTo(phase: Case['phase']): Promise<(which: 'request' | 'run') => Promise<void>> {
    const [owner, bystander] = hosts as [Host, Host];
    for (const host of hosts) await host.serves();
    const files = { request: join(owner.cluster.folder, randomUUID()), run: join(owner.cluster.folder, randomUUID()) };
    if (phase === 'writing') {
      const unlock = await lockFence(database!);
      let unlocked: Promise<void> | undefined;
      void owner.put([{ id: 'of the former run' }]);
      await until('its feed is about to be written', () => blockedAtFence(database!), { within: 30_000 });
      // Again does nothing.
      return () => (unlocked ??= unlock());
    }
    if (phase === 'draining') void bystander.ask(`/work?until=${encodeURIComponent(files.request)}`);
    if (phase === 'draining')
      await bystander.cluster.until('a request is in flight', ({ workers }) =>
        workers.some((each) => each.inFlight > 0),
      );
    if (phase !== 'serving') {
      void owner.ask(`/alone?until=${encodeURIComponent(files.run)}`, 'POST');
      await owner.cluster.until(`its run is ${phase}`, ({ run }) => run?.state === phase);
    }
    return (which) => writeFile(files[which], '');
  }

  /** How often a host has counted the eviction of such a host. */
  async function evictions({ cluster }: Host, evicted: 'this_host' | 'other_host'): Promise<number> {
    const [, count] = new RegExp(`^quiesce_host_evictions_total{evicted="${evicted}"} (\\d+)$`, 'm').exec(
      await scrape(cluster.dataDir),
    )!;
    return Number(count);
  }

  for (const { fault, phase, victim } of rounds > 0 ? all : short) {
    it(`the others go on, and it comes back by itself: ${fault.name}, of a ${victim}, ${phase}`, async () => {
      for (let round = 0; round < Math.max(1, rounds); round++) {
        const lost = hosts.find(({ name }) => name === victim)!;
        const other = hosts.find((host) => host !== lost)!;
        const letGo = await bringTo(phase);
        const before = await evictions(other, 'other_host');
        const endHammer = hammer(hosts, 10);
        await fault.begin(lost);
        const since = performance.now();
        const from = clock();
        await letGo(victim === 'owner' ? 'request' : 'run');
        await other.runsAlone(within);
        const took = Math.round(performance.now() - since);
        await other.serves(); // an exclusive run has answered before its end
        const newest = randomUUID();
        expect(await other.put([{ id: newest }]), 'a feed of the other').to.equal(204);
        const freeze = { host: lost.name, from, to: clock() };
        if (fault.freezes) frozen.push(freeze);
        await fault.end(lost);
        await letGo(victim === 'owner' ? 'run' : 'request');
        await lost.serves();
        await lost.runsAlone();
        const items = await database!.db.collection('resources').find().toArray();
        expect(items, 'no late write of a former run').to.deep.equal([{ _id: newest }]);
        expect(await evictions(other, 'other_host'), 'evictions that the other has seen').to.equal(before + 1);
        expect(await evictions(lost, 'this_host')).to.be.above(fault.name === 'kill -9' ? -1 : 0);
        const statuses = await endHammer();
        expect(overlapsIn(witness, frozen)).to.deep.equal([]);
        const late = fault.freezes ? outlasted(witness, freeze) : 0;
        expect(late, 'what was frozen in the middle was ended at once').to.be.below(moment);
        for (const status of statuses.keys()) expect(status).to.be.oneOf([0, 200, 503]);
        if (rounds > 0)
          console.log(
            `      others went on after ${took} ms${fault.freezes ? `, the frozen ended ${Math.round(late)} ms after` : ''}`,
          );
      }
    });
  }
});
