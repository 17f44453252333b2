/** A replica set of three members on this machine, with real elections. */
import { mkdir, mkdtemp, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { freePort } from '../../../../dev/free-port.ts';
import { findMongod, toStderr, type FoundMongod } from '../../../../dev/mongodb/find.ts';
import { GuardedMongod } from '../../../../dev/mongodb/guarded.ts';
import { recordFile, sweepOrphans, writeRecord } from '../../../../dev/mongodb/records.ts';
import { until } from '../until.ts';

const name = 'rs3';
/** So that {@link ReplicaSet.delayNext} works. */
const failPoints = ['--setParameter', 'enableTestCommands=1'];
/** Of an election: a member waits for 10 s before it stands for the place of a primary that is silent, ms. */
const elected = { within: 90_000, every: 50 };

interface Member {
  readonly port: number;
  readonly folder: string;
  readonly mongod: GuardedMongod;
}

export class ReplicaSet {
  readonly uri: string;
  readonly #found: FoundMongod;
  readonly #members: readonly Member[];

  private constructor(found: FoundMongod, members: readonly Member[]) {
    this.#found = found;
    this.#members = members;
    this.uri = `mongodb://${members.map(({ port }) => `127.0.0.1:${port}`).join(',')}/?replicaSet=${name}`;
  }

  static async start(): Promise<ReplicaSet> {
    await sweepOrphans(toStderr);
    const found = await findMongod(toStderr);
    const members: Member[] = [];
    for (let member = 0; member < 3; member++) {
      const folder = await mkdtemp(join(await realpath(tmpdir()), 'quiesce-mongodb-'));
      members.push({ port: await freePort(), folder, mongod: new GuardedMongod() });
    }
    const set = new ReplicaSet(found, members);
    try {
      for (const member of members) await set.#launch(member);
      const hosts = members.map(({ port }, _id) => ({ _id, host: `127.0.0.1:${port}` }));
      await set.#ask(members[0]!, { replSetInitiate: { _id: name, members: hosts } });
      await set.#primary();
    } catch (error) {
      await set.close();
      throw error;
    }
    return set;
  }

  async #launch({ port, folder, mongod }: Member): Promise<void> {
    const dbPath = join(folder, 'db');
    await mkdir(dbPath, { recursive: true });
    await writeRecord(dbPath, folder);
    const args = ['--port', String(port), '--dbpath', dbPath, '--replSet', name, '--bind_ip', '127.0.0.1', '--quiet'];
    await mongod.start({
      command: this.#found.command,
      args: [...args, '--oplogSize', '256', '--wiredTigerCacheSizeGB', '0.25', ...failPoints],
      logFile: join(folder, 'mongod.log'),
      record: recordFile(dbPath),
      throwAway: folder,
    });
    await until('the member answers', () => this.#ask({ port }, { hello: 1 }), { within: 60_000, every: 50 });
  }

  /** What a member says; null where it does not answer. */
  async #ask({ port }: Pick<Member, 'port'>, command: object): Promise<Record<string, unknown> | null> {
    const client = new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, {
      serverSelectionTimeoutMS: 1_000,
    });
    try {
      return await client.db('admin').command({ ...command }, { timeoutMS: 10_000 });
    } catch {
      return null;
    } finally {
      await client.close();
    }
  }

  /** The member that takes writes, once there is one and all that run follow it. */
  async #primary(): Promise<Member> {
    return until(
      'a primary is elected',
      async () => {
        const running = this.#members.filter(({ mongod }) => mongod.pid !== null);
        const said = await Promise.all(running.map((member) => this.#ask(member, { hello: 1 })));
        const primary = running.find((_, index) => said[index]?.['isWritablePrimary'] === true);
        const others = said.filter((hello) => hello?.['secondary'] === true).length;
        return others === running.length - 1 ? primary : undefined;
      },
      elected,
    );
  }

  /** The primary answers the next command of this name so much later, ms. */
  async delayNext(command: string, time: number): Promise<void> {
    const data = { failCommands: [command], blockConnection: true, blockTimeMS: time };
    const set = await this.#ask(await this.#primary(), { configureFailPoint: 'failCommand', mode: { times: 1 }, data });
    if (set === null) throw new Error(`${command} cannot be delayed`);
  }

  /** Another is elected. Resolves with how long there was none, ms. */
  async stepDown(): Promise<number> {
    const since = performance.now();
    const former = await this.#primary();
    await this.#ask(former, { replSetStepDown: 30, secondaryCatchUpPeriodSecs: 5 });
    await this.#primary();
    const took = performance.now() - since;
    // Or it could not stand for the next election.
    await this.#ask(former, { replSetFreeze: 0 });
    return took;
  }

  /** SIGKILL to the primary. Resolves once another is elected, with how long there was none, ms. */
  async killPrimary(): Promise<number> {
    const { mongod } = await this.#primary();
    const since = performance.now();
    mongod.kill();
    await mongod.ended();
    await this.#primary();
    return performance.now() - since;
  }

  /** Those that were killed run again. */
  async mend(): Promise<void> {
    for (const member of this.#members) if (member.mongod.pid === null) await this.#launch(member);
    await this.#primary();
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.map(({ mongod }) => mongod.close()));
  }
}
