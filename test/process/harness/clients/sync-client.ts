/** What the tests of `PUT /api/sync` say and expect, again and again. */
import { createHash } from 'node:crypto';
import { expect } from 'chai';
import type { RunRecord } from '#quiesce/protocol/api/runs.js';
import { json, problemIn, send, type Message, type Reply } from './lines.ts';
import type { SharedCluster } from '../clusters/shared-cluster.ts';

export function digestOf(body: string | Uint8Array): string {
  return `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;
}

export class SyncClient {
  readonly #shared: SharedCluster;

  constructor(shared: SharedCluster) {
    this.#shared = shared;
  }

  put(body: Message['body'], headers: Readonly<Record<string, string>> = {}, query = ''): Promise<Reply> {
    const url = `${this.#shared.cluster.url}/api/sync${query}`;
    return send(url, { method: 'PUT', headers: { ...json, ...headers }, ...(body === undefined ? {} : { body }) });
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
    return send(this.#shared.cluster.url + path, { headers });
  }

  async run(id: string): Promise<RunRecord> {
    const { status, text } = await this.get(`/api/sync/${id}`);
    expect(status, text).to.equal(200);
    return JSON.parse(text) as RunRecord;
  }

  /** The mirrored documents, by key. */
  documents(): Promise<unknown[]> {
    return this.#shared.database.db.collection('resources').find().sort({ _id: 1 }).toArray();
  }

  /** What is true before is true afterwards: nothing was paused, and nothing was written. */
  async unchanged<T>(action: () => Promise<T>): Promise<T> {
    await this.#shared.database.db.collection('resources').insertOne({ _id: 'kept', n: 1 } as object);
    const { epoch } = await this.#shared.cluster.status();
    const result = await action();
    const status = await this.#shared.cluster.status();
    expect(status.epoch, 'epoch').to.equal(epoch);
    expect(status.phase).to.equal('serving');
    expect(await this.documents()).to.deep.equal([{ _id: 'kept', n: 1 }]);
    return result;
  }

  /** A refusal as the contract has it, of a request that changes and pauses nothing. Returns the problem document. */
  async refused(expected: { status: number; code: string }, action: () => Promise<Reply>): Promise<Refusal> {
    const reply = await this.unchanged(action);
    const problem = problemIn(reply);
    expect(problem, reply.text).to.include(expected);
    expect(reply.status).to.equal(expected.status);
    expect(problem).to.include.keys('type', 'title', 'detail', 'instance');
    return { reply, problem };
  }
}

export interface Refusal {
  readonly reply: Reply;
  readonly problem: ReturnType<typeof problemIn>;
}
