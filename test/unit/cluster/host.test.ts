import { expect } from 'chai';
import type { SiteRules } from '#quiesce/cluster/document.js';
import { Host } from '#quiesce/cluster/host.js';
import type { Answer, SiteStore } from '#quiesce/cluster/store.js';
import { siteStep } from '#quiesce/cluster/site.js';
import { b, Document, rules } from './two-hosts.ts';

describe('a host whose id another process has', () => {
  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  function hostAt(document: Document, onPartition: SiteRules['onPartition']) {
    const warnings: string[] = [];
    let joins = 0;
    const apply: SiteStore['apply'] = (event) => {
      if (event.type === 'join') joins++;
      const step = siteStep(document.site, event, document.now, { ...rules, onPartition });
      document.site = step.site;
      return Promise.resolve<Answer>({ ...step, now: document.now });
    };
    const store: Pick<SiteStore, 'apply' | 'renew' | 'read' | 'watch' | 'close'> = {
      apply,
      renew: (ref) => apply({ type: 'renew', ref }),
      read: () => Promise.resolve({ site: document.site, now: document.now }),
      watch: (_onSite, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
      close: () => Promise.resolve(),
    };
    const host = new Host({
      store: store as SiteStore,
      rules: { ...rules, onPartition, renewal: 100_000 },
      host: b.host,
      name: 'web',
      version: '1.0.0',
      primary: 'second',
      replaces: null,
      membership: null,
      local: () => ({ rest: null, isIdle: true, run: null, reloaded: null, waiters: new Set(), past: () => null }),
      onView: () => {},
      onRefused: () => {},
      onEviction: () => {},
      log: { info: () => {}, warn: (_fields, message) => void warnings.push(message) },
    });
    return { host, warnings, joins: () => joins };
  }

  it('says so once, and what to do, and joins when that one is taken out', async () => {
    const document = new Document();
    const { host, warnings, joins } = hostAt(document, 'shut');
    host.start();
    await until(() => joins() > 1);
    expect(host.trouble).to.equal('another process has the id of this host, and is in the cluster as web-2');
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.include('former primary').and.to.include('its lease is over').and.to.include('host.json');
    document.evictB();
    await until(() => document.site.hosts['B']?.incarnation === 'second.1');
    await until(() => host.trouble === null);
    await host.leave();
  });

  it('names the order that takes that one out where no lease ends by itself', async () => {
    const { host, warnings } = hostAt(new Document(), 'serve');
    host.start();
    await until(() => warnings.length > 0);
    expect(warnings[0]).to.include('quiesce hosts remove web-2');
    await host.leave();
  });
});
