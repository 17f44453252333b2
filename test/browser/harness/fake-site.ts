/** The page on a real admin server, over a cluster that is played. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { dashboard } from '#quiesce/dashboard/routes.js';
import { startAdminServer, type AdminServer } from '#quiesce/primary/admin/server.js';
import type { RunRecord } from '#quiesce/protocol/api/runs.js';
import { freePort } from '../../../dev/free-port.ts';
import { scratchFolders } from '../../unit/scratch.js';
import { aDay } from '../../unit/dashboard/a-day.js';
import type { FakeCluster } from '../../unit/dashboard/fake-cluster.js';

const silent = { info: () => {}, warn: () => {}, error: () => {} };

export class FakeSite {
  readonly dataDir: string;
  readonly port: number;
  cluster: FakeCluster;
  #server: AdminServer | null = null;
  #stopPlaying: () => void = () => {};

  constructor(dataDir: string, port: number) {
    this.dataDir = dataDir;
    this.port = port;
    this.cluster = aDay();
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  get token(): string {
    return readFileSync(path.join(this.dataDir, 'admin.token'), 'utf8').trim();
  }

  async start(): Promise<void> {
    const { dataDir, port, cluster } = this;
    const admin = { host: '127.0.0.1', port };
    const more = [dashboard()];
    this.#server = await startAdminServer({
      dataDir,
      admin,
      operations: cluster,
      live: cluster.live,
      more,
      log: silent,
    });
    this.play();
  }

  play(): void {
    this.#stopPlaying = this.cluster.play();
  }

  /** The primary stands still: its connections are there, and nothing comes. */
  stall(): void {
    this.#stopPlaying();
  }

  async stop(): Promise<void> {
    this.#stopPlaying();
    this.cluster.live.close();
    await this.#server?.close();
    this.#server = null;
  }
}

/** In a `describe`: each test finds a cluster that has had a plausible day. */
export function useFakeSite(): () => FakeSite {
  const scratch = scratchFolders();
  let site: FakeSite | undefined;
  beforeEach('a site', async () => {
    site = new FakeSite(scratch(), await freePort());
    await site.start();
  });
  afterEach('it ended', async () => site?.stop());
  return () => site!;
}

/** One that is going on. */
export function aRun(state: RunRecord['state']): RunRecord {
  const owner = { slot: 3, incarnation: 1, method: 'PUT', path: '/api/sync' };
  return { id: 'run-7', kind: 'sync', state, epoch: 42, owner, startedAt: new Date().toISOString() };
}
