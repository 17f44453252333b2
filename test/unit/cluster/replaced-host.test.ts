import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { Host } from '#quiesce/cluster/host.js';
import type { HostOptions } from '#quiesce/cluster/host-options.js';
import { isIn } from '#quiesce/cluster/member.js';
import { newSite } from '#quiesce/cluster/founding.js';
import { siteStep } from '#quiesce/cluster/site.js';
import type { Site } from '#quiesce/cluster/document.js';
import type { SiteEvent } from '#quiesce/cluster/events.js';
import { clock } from '#quiesce/monotonic.js';
import { until } from '../../process/harness/until.ts';

const rules: HostOptions['rules'] = {
  lease: 2_000,
  renewal: 20,
  evictionGrace: 100,
  margin: 10,
  onPartition: 'shut',
};

/** A document in memory, with what is written to it and how. */
class Store {
  site: Site = newSite('one', 0, null);
  readonly did: string[] = [];
  isAway = false;
  /** The next write waits for it. */
  gate: Promise<void> = Promise.resolve();
  readonly store: HostOptions['store'] = {
    apply: async (event) => this.#write(event),
    renew: async (ref) => this.#write({ type: 'renew', ref }),
    read: async () => this.#read('read'),
    peek: async () => this.#read('peek'),
    refound: async () => null,
    watch: (_onSite, signal) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
    close: async () => void this.did.push('close'),
  };

  #read(how: string): { site: Site; now: number } {
    this.did.push(how);
    if (this.isAway) throw new Error('MongoDB is away');
    return { site: this.site, now: clock() };
  }

  async #write(
    event: SiteEvent,
  ): Promise<{ site: Site; refused: ReturnType<typeof siteStep>['refused']; now: number }> {
    await this.gate;
    this.did.push(event.type);
    if (this.isAway) throw new Error('MongoDB is away');
    const now = clock();
    const { site, refused } = siteStep(this.site, event, now, rules);
    this.site = site;
    return { site, refused, now };
  }
}

describe('a host of a cluster whose primary is replaced', () => {
  const hosts: Host[] = [];
  afterEach(() => Promise.all(hosts.splice(0).map((host) => host.leave(false))));

  function hostOf({ store }: Store, more: Partial<HostOptions> = {}): Host {
    const host = new Host({
      store,
      rules,
      host: 'A',
      name: 'web',
      version: '1.0.0',
      primary: 'first',
      replaces: null,
      membership: null,
      local: () => ({ rest: null, isIdle: true, run: null, reloaded: null, waiters: new Set(), past: () => null }),
      onView: () => {},
      onRefused: () => {},
      onEviction: () => {},
      log: { info: () => {}, warn: () => {} },
      ...more,
    });
    hosts.push(host);
    host.start();
    return host;
  }
  async function joined(store: Store): Promise<Host> {
    const host = hostOf(store);
    await until('it has joined', () => isIn(host.member));
    return host;
  }

  it('writes nothing more after one last renewal, and reads what its successor renews', async () => {
    const store = new Store();
    const former = await joined(store);
    const membership = await former.retire();
    expect(membership).to.include({ incarnation: 'first.1' });
    expect(store.did.at(-1)).to.equal('renew');
    store.did.length = 0;
    const before = former.member.deadline;
    const successor = hostOf(store, { membership: { ...membership, sleepOffset: former.sleepOffset } });
    expect(isIn(successor.member), 'at once').to.equal(true);
    await until('the former one has read that it counts for longer', () => former.member.deadline > before + 50);
    expect(store.did).to.include('peek').and.to.include('renew').and.not.to.include('join');
    expect(Object.values(store.site.hosts).map(({ incarnation }) => incarnation)).to.deep.equal(['first.1']);
    expect(successor.member.ref).to.deep.equal(former.member.ref);
    await successor.leave(false);
    store.did.length = 0;
    await delay(100);
    await former.leave(true);
    expect(new Set(store.did)).to.deep.equal(new Set(['peek', 'close']));
    const error = await former.write({ type: 'unhold', ref: former.member.ref }).catch((thrown: unknown) => thrown);
    expect(error).to.include({ code: 'stopping' });
  });

  it('waits for what it has sent before it hands over', async () => {
    const store = new Store();
    const host = await joined(store);
    let letGo = (): void => {};
    store.gate = new Promise((resolve) => (letGo = resolve));
    const hold = host.write({
      type: 'hold',
      ref: host.member.ref,
      change: { reason: 'by hand', lasts: null, by: null },
      waiter: null,
    });
    const retired = host.retire();
    expect(await Promise.race([retired, delay(50, 'waits')])).to.equal('waits');
    letGo();
    await hold;
    expect((await retired).site.operator).to.include({ reason: 'by hand' });
  });

  it('goes on as the member where it cannot hand over, or has no successor after all', async () => {
    const store = new Store();
    const host = await joined(store);
    store.isAway = true;
    const error = await host.retire().catch((thrown: unknown) => thrown);
    expect(error).to.include({ code: 'database-unavailable' });
    store.isAway = false;
    const renewals = (): number => store.did.filter((what) => what === 'renew').length;
    for (let times = 0; times < 2; times += 1) {
      const before = renewals();
      await until('it renews', () => renewals() > before);
      if (times === 0) {
        await host.retire();
        host.goOn();
      }
    }
    expect(host.member.ref.incarnation).to.equal('first.1');
  });

  it('joins under an incarnation of its own where it was taken out meanwhile and has no successor after all', async () => {
    const store = new Store();
    const host = await joined(store);
    await host.retire();
    await store.store.apply({ type: 'remove', ...host.member.ref });
    await until('it knows', () => !isIn(host.member));
    host.goOn();
    await until('it has joined again', () => store.site.hosts['A']?.incarnation === 'first.2');
  });

  it('counts on: a successor that is taken out joins under an incarnation that was never used', async () => {
    const store = new Store();
    const former = await joined(store);
    const membership = await former.retire();
    const successor = hostOf(store, { membership: { ...membership, sleepOffset: former.sleepOffset } });
    await store.store.apply({ type: 'remove', ...former.member.ref });
    await until('it has joined anew', () => store.site.hosts['A']?.incarnation === 'first.2');
    await until('it knows', () => isIn(successor.member));
    await until('the former primary knows', () => !isIn(former.member));
  });

  it('leaves the document only when no worker is left', async () => {
    const store = new Store();
    const host = await joined(store);
    await host.leave(false);
    expect(store.site.hosts).to.have.property('A');
    const other = new Store();
    await (await joined(other)).leave(true);
    expect(other.site.hosts).to.deep.equal({});
  });
});
