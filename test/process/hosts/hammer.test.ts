import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { counted, hammer, startHosts, type Host } from '../harness/hosts/hosts.ts';
import { discard, newDatabase, type TestDatabase } from '../harness/mongodb/mongo.ts';
import { holdWitness, overlapsIn, spansIn } from '../harness/hosts/witness.ts';

/** Each number of hosts for so long, by `npm run campaign:hammer`; without it two hosts, for a moment. */
const seconds = Number(process.env['QUIESCE_HAMMER'] ?? 0);
const sizes = seconds > 0 ? [2, 3, 5] : [2];
const items = 40;

const someTime = (most: number): number => Math.round(Math.random() * most);

for (const size of sizes) {
  describe(`${size} hosts under requests, feeds, exclusive runs and holds at all of them`, function () {
    this.timeout((seconds + 400) * 1_000);
    let hosts: Host[] = [];
    let database: TestDatabase | undefined;
    let folder: string;
    let witness: string;

    before('hosts', async () => {
      database = await newDatabase();
      folder = await mkdtemp(join(tmpdir(), 'quiesce-hosts-'));
      witness = join(folder, 'witness');
      await writeFile(witness, '');
      const names = Array.from({ length: size }, (_, index) => `host-${index}`);
      // The default lease: what the machine is busy with evicts nobody.
      hosts = await startHosts(names, { uri: database.uri, db: database.name, witness, instances: 1 });
    });

    afterEach(function () {
      if (this.currentTest?.state !== 'failed') return;
      for (const { name, cluster } of hosts) console.error(`--- ${name}\n${cluster.output.slice(-4_000)}`);
    });

    after('hosts ended', async function () {
      this.timeout(60_000);
      await Promise.all(hosts.splice(0).map((host) => host.close()));
      await discard(database);
      await rm(folder, { recursive: true, force: true });
    });

    const one = (): Host => hosts[Math.floor(Math.random() * hosts.length)]!;

    it('let no handler of any host be at work beside an exclusive run or in a hold, and one of concurrent claims win', async () => {
      const [feeds, runs, volleys] = [new Map<number, number>(), new Map<number, number>(), new Map<number, number>()];
      const held = { whole: 0, refused: 0 };
      const wins: number[] = [];
      const until = performance.now() + (seconds || 8) * 1_000;
      /** A slow machine has its time to do each once. */
      const lacks = (): boolean =>
        held.whole === 0 || !feeds.has(204) || [runs, volleys].some((answers) => !answers.has(200));
      const goesOn = (): boolean => {
        const left = until - performance.now();
        return left > 0 || (left > -60_000 && lacks());
      };

      async function feed(): Promise<void> {
        while (goesOn()) {
          const round = randomUUID();
          const feedOf = Array.from({ length: items }, (_, id) => ({ id, round }));
          counted(feeds, await one().put(feedOf));
          await delay(someTime(400));
        }
      }

      async function runAlone(): Promise<void> {
        while (goesOn()) {
          counted(runs, await one().ask(`/alone?ms=${someTime(60)}`, 'POST'));
          await delay(someTime(400));
        }
      }

      /** At all hosts at once; the one that runs stays until the others have been answered. */
      async function volley(): Promise<void> {
        while (goesOn()) {
          const letGo = join(folder, randomUUID());
          let left = hosts.length - 1;
          const answers = await Promise.all(
            hosts.map(async (host) => {
              const status = await host.ask(`/alone?until=${encodeURIComponent(letGo)}`, 'POST');
              if (--left <= 0) await writeFile(letGo, '');
              return status;
            }),
          );
          for (const status of answers) counted(volleys, status);
          wins.push(answers.filter((status) => status === 200).length);
          await delay(someTime(600));
        }
      }

      async function hold(): Promise<void> {
        while (goesOn()) {
          const isHeld = await one()
            .cluster.control.maintenance({ on: true, wait: true, timeout: 20_000, reason: 'hammer' })
            .then(
              () => true,
              () => false,
            );
          if (isHeld) {
            const end = holdWitness(witness);
            await delay(someTime(60));
            end();
          }
          held[isHeld ? 'whole' : 'refused']++;
          await one().cluster.control.maintenance({ on: false });
          await delay(500 + someTime(1_500));
        }
      }

      const endHammer = hammer(hosts, 5);
      await Promise.all([feed(), feed(), runAlone(), runAlone(), volley(), hold()]);
      const asked = await endHammer();
      const spans = spansIn(witness);
      if (seconds > 0)
        console.log(
          { requests: asked, feeds, runs, volleys },
          { held, 'won in a volley': wins.reduce((sum, won) => sum + won, 0), of: wins.length },
          { handlers: spans.length, alone: spans.filter(({ kind }) => kind === 'alone').length },
        );
      expect(overlapsIn(witness)).to.deep.equal([]);
      for (const status of asked.keys()) expect(status, 'of a request').to.be.oneOf([200, 503]);
      for (const status of feeds.keys()) expect(status, 'of a feed').to.be.oneOf([204, 409, 503]);
      for (const answers of [runs, volleys])
        for (const status of answers.keys()) expect(status, 'of an exclusive run').to.be.oneOf([200, 409, 503]);
      for (const won of wins) expect(won, 'of claims that came together').to.be.at.most(1);
      for (const [what, answers, status] of [
        ['requests', asked, 200],
        ['feeds', feeds, 204],
        ['runs', runs, 200],
        ['volleys', volleys, 200],
      ] as const)
        expect(answers.get(status) ?? 0, `${what} that were done`).to.be.above(0);
      expect(held.whole, 'holds').to.be.above(0);
      for (const { cluster } of hosts) expect(cluster.output).not.to.match(/lease is over|taken out/);
      const rounds = await database!.db.collection('resources').distinct('round');
      expect(rounds, 'the collection is one feed').to.have.length(1);
      expect(await database!.db.collection('resources').countDocuments()).to.equal(items);
    });
  });
}
