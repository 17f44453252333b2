import { expect } from 'chai';
import { setImmediate as turn } from 'node:timers/promises';
import pino from 'pino';
import { newSite } from '#quiesce/cluster/founding.js';
import type { Site } from '#quiesce/cluster/document.js';
import type { LoggedRun, RunLog } from '#quiesce/cluster/run-log.js';
import { isEnded } from '#quiesce/protocol/api/is-ended.js';
import type { RunRecord } from '#quiesce/protocol/api/runs.js';
import { ClusterHistory } from '#quiesce/primary/hosts/cluster-history.js';
import { RunStore } from '#quiesce/primary/runs/history/history.js';
import { newRunId } from '#quiesce/primary/runs/history/id.js';
import { scratchFolders } from '../../scratch.ts';

const startedAt = '2026-01-01T00:00:00.000Z';
const log = pino({ level: 'silent' });

/** The collection: the first end of a run stays. */
class Shared {
  readonly runs = new Map<string, LoggedRun>();
  readonly #listeners = new Set<(run: LoggedRun) => void>();

  async put(run: LoggedRun): Promise<void> {
    if (isEnded(this.runs.get(run.record.id)?.record.state ?? 'uploading')) return;
    this.runs.set(run.record.id, run);
    for (const listener of this.#listeners) listener(run);
  }

  async find(id: string): Promise<RunRecord | null> {
    return this.runs.get(id)?.record ?? null;
  }

  async all(): Promise<LoggedRun[]> {
    return [...this.runs.values()];
  }

  watch(listener: (run: LoggedRun) => void, signal: AbortSignal): Promise<void> {
    this.#listeners.add(listener);
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
  }
}

describe('the history of all hosts', () => {
  const scratch = scratchFolders();
  const histories: ClusterHistory[] = [];
  let site: Site;
  let shared: Shared;

  beforeEach(() => {
    shared = new Shared();
    const member = { name: 'web', lease: 1, rest: 0 };
    site = {
      ...newSite('one', 0, null),
      hosts: { A: { ...member, incarnation: '1' }, B: { ...member, incarnation: '1' } },
    };
  });

  afterEach(async () => {
    for (const history of histories.splice(0)) await history.stop();
  });

  async function host(name: string): Promise<{ runs: RunStore; history: ClusterHistory }> {
    const runs = await RunStore.open(scratch(), log);
    const ref = { host: name, incarnation: '1' };
    const runLog = shared as unknown as RunLog;
    const history = new ClusterHistory({ runLog, runs, ref: () => ref, site: () => site, log });
    history.start();
    histories.push(history);
    await turn();
    return { runs, history };
  }

  /** What the site document says of a run that A has. */
  function ownedByA(id: string | null): void {
    const owner = { host: 'A', incarnation: '1', name: 'web' };
    site = { ...site, run: id === null ? null : { id, kind: 'sync', owner, stage: 'claimed', epoch: null } };
  }

  function without(name: string): void {
    const { [name]: _gone, ...hosts } = site.hosts;
    site = { ...site, hosts };
  }

  const run: RunRecord = { id: 'r', kind: 'sync', state: 'uploading', startedAt };

  it('shows a run of one host at each other, with its end and its report', async () => {
    const [a, b] = [await host('A'), await host('B')];
    const told: string[] = [];
    b.runs.onAny(({ state }) => told.push(state));
    ownedByA('r');
    a.runs.add(run);
    a.runs.update('r', { state: 'draining' });
    await turn();
    expect(b.runs.get('r')).to.include({ state: 'draining' });
    await a.runs.end('r', { state: 'succeeded' });
    await turn();
    expect(b.runs.list(10).map(({ id, state }) => `${id} ${state}`)).to.deep.equal(['r succeeded']);
    expect(b.runs.last).to.include({ id: 'r' });
    expect(told).to.deep.equal(['draining', 'succeeded']);
  });

  it('gives a new run an id after those that the site has, though the clock of this host is behind', async () => {
    const b = await host('B');
    const ahead = (hours: number): string => newRunId(new Date(Date.now() + hours * 3_600_000), null);
    const [first, second] = [ahead(1), ahead(2)];
    site = { ...site, mirrored: [{ run: first, host: 'A', outcome: 'succeeded', keys: null }] as never };
    b.history.look();
    expect(b.runs.newId(new Date()) > first, 'after one that has ended').to.equal(true);
    ownedByA(second);
    b.history.look();
    expect(b.runs.newId(new Date()) > second, 'after one that goes on').to.equal(true);
  });

  it('has no claim that was refused, since the site never had it', async () => {
    const a = await host('A');
    ownedByA('another');
    a.runs.add(run);
    a.runs.update('r', {});
    a.runs.remove('r');
    await turn();
    expect(shared.runs.size).to.equal(0);
  });

  it('gives a run whose host is gone its end, once the site has no such run', async () => {
    const a = await host('A');
    const b = await host('B');
    ownedByA('r');
    a.runs.add(run);
    a.runs.update('r', { state: 'draining' });
    await turn();
    without('A');
    b.history.look();
    await turn();
    expect(b.runs.get('r'), 'another host may finish it').to.include({ state: 'draining' });
    ownedByA(null);
    b.history.look();
    await turn();
    await turn();
    expect(b.runs.get('r')?.error).to.include({ code: 'owner-died' });
    // What its host says later of it changes nothing.
    await a.runs.end('r', { state: 'succeeded' });
    await turn();
    expect(shared.runs.get('r')?.record.state).to.equal('failed');
  });

  it('has the end that the site document knows, where the host died before it could write it', async () => {
    const a = await host('A');
    const b = await host('B');
    ownedByA('r');
    a.runs.add(run);
    a.runs.update('r', { state: 'running' });
    await turn();
    without('A');
    ownedByA(null);
    const counts = { inserted: 1, updated: 0, deleted: 0, unchanged: 0 };
    site = { ...site, mirrored: [{ run: 'r', host: 'A', collection: 'resources', outcome: 'succeeded', counts }] };
    b.history.look();
    await turn();
    await turn();
    expect(b.runs.get('r')).to.include({ state: 'succeeded' });
    expect(b.runs.get('r')).not.to.have.property('error');
  });

  it('tells a host that has lost a run how it ended elsewhere, and nothing of one that has not ended', async () => {
    const a = await host('A');
    const elsewhere = { host: 'B', incarnation: '1' };
    expect(await a.history.endElsewhere('r')).to.equal(null);
    await shared.put({ record: { ...run, state: 'rolling-forward' }, host: elsewhere });
    expect(await a.history.endElsewhere('r')).to.equal(null);
    const counts = { inserted: 1, updated: 0, deleted: 0, unchanged: 0 };
    site = { ...site, mirrored: [{ run: 'r', host: 'B', collection: 'resources', outcome: 'succeeded', counts }] };
    const end = a.history.endElsewhere('r');
    await shared.put({ record: { ...run, state: 'succeeded', notes: ['its record'] }, host: elsewhere });
    expect(await end).to.deep.include({ state: 'succeeded', notes: ['its record'] });
  });
});
