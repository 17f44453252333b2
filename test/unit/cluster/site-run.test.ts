import { expect } from 'chai';
import type { SiteEvent } from '#quiesce/cluster/events.js';
import { pauseOf, type HostRef, type SiteRules } from '#quiesce/cluster/document.js';
import { writesOf, type Member, type OwnRun } from '#quiesce/cluster/member.js';
import { a, b, Document, rules } from './two-hosts.ts';

describe('a run whose host is taken out', () => {
  const run = { ref: b, run: 'f' };

  /** A feed of B is being written. */
  function writing(shared: boolean): Document {
    const document = new Document();
    document.takes({ type: 'claim', kind: 'sync', ...run }, { type: 'drain', ...run });
    document.rest(a, b);
    document.takes({ type: 'begin', ...run, ...(shared ? { shared } : {}) });
    return document;
  }

  /** What A writes, which has nothing of the run. */
  function writesOfA({ site, now }: Document): SiteEvent[] {
    const member: Member = { ref: a, name: 'web', site, deadline: Infinity };
    const past = (): null => null;
    const idle = { isIdle: true, run: null, reloaded: null, waiters: new Set<string>(), past };
    return writesOf(member, { ...idle, rest: site.epoch }, now, rules);
  }

  it('ends where it had not begun to write, whatever it is', () => {
    for (const kind of ['sync', 'exclusive', 'exec'] as const) {
      const document = new Document();
      document.takes({ type: 'claim', kind, ...run }, { type: 'drain', ...run });
      document.evictB();
      expect(document.site.run, kind).to.equal(null);
    }
  });

  it('is taken over by a host that has nothing of it, where its feed can be fetched', () => {
    for (const shared of [true, false]) {
      const document = writing(shared);
      document.evictB();
      const wants = shared ? [{ type: 'take-over', ref: a, run: 'f' }] : [];
      expect(writesOfA(document)).to.deep.equal(wants);
    }
  });

  it('has owner, epoch and the rest of each present host changed by one write', () => {
    const document = writing(true);
    document.evictB();
    const { version, epoch } = document.site;
    document.takes({ type: 'take-over', ref: a, run: 'f' });
    expect(document.site).to.deep.include({ version: version + 1, epoch: epoch + 1 });
    expect(document.site.run).to.deep.include({ owner: { ...a, name: 'web' }, epoch: epoch + 1, stage: 'running' });
    expect(document.site.hosts['A']?.rest).to.equal(epoch + 1);
    expect(document.offer({ type: 'end', ...run }), 'of its former owner').to.equal('evicted');
    document.takes({ type: 'join', ref: { host: 'B', incarnation: '2' }, name: 'web' });
    expect(document.offer({ type: 'take-over', ref: { host: 'B', incarnation: '2' }, run: 'f' })).to.equal('over');
  });
});

describe('a run whose host does not renew', () => {
  const run = { ref: b, run: 'f' };
  const serving = { ...rules, onPartition: 'serve' } as const;
  const bury: SiteEvent = { type: 'bury', ref: a, run: 'f' };

  /** A run of B that has got that far, after the lease of B and the times that others wait then, less `left` ms. */
  function silent(stage: 'claimed' | 'preparing' | 'draining' | 'running', left = 0): Document {
    const document = new Document('serve');
    document.takes({ type: 'claim', kind: 'sync', ...run });
    if (stage !== 'claimed') document.takes({ type: 'prepare', ...run });
    if (stage === 'draining' || stage === 'running') document.takes({ type: 'drain', ...run });
    if (stage === 'running') document.rest(a, b);
    if (stage === 'running') document.takes({ type: 'begin', ...run, shared: true });
    document.now += 112 - left;
    return document;
  }

  function writesAt(ref: HostRef, { site, now }: Document): SiteEvent[] {
    const member: Member = { ref, name: 'web', site, deadline: Infinity };
    const past = (): null => null;
    const idle = { isIdle: true, run: null, reloaded: null, waiters: new Set<string>(), past };
    return writesOf(member, { ...idle, rest: null }, now, serving).filter(({ type }) => type !== 'end');
  }

  it("is ended by any host where nobody is evicted, before it is at work: its owner's `begin` is refused from then on", () => {
    for (const stage of ['claimed', 'preparing', 'draining'] as const) {
      const document = silent(stage);
      expect(writesAt(a, document), stage).to.deep.equal([bury]);
      expect(writesAt(b, document), 'not by its owner').to.deep.equal([]);
      document.takes(bury);
      expect(pauseOf(document.site)).to.equal(null);
      expect(document.site.hosts['B'], 'which stays').not.to.equal(undefined);
      expect(document.offer({ type: 'begin', ...run })).to.equal('over');
      document.takes({ type: 'claim', kind: 'exclusive', ref: a, run: 'g' });
      expect(document.offer({ type: 'drain', ...run })).to.equal('over');
    }
  });

  it('is not ended before others may count its host out, nor one that has renewed', () => {
    const early = silent('draining', 1);
    expect(writesAt(a, early)).to.deep.equal([]);
    expect(early.offer(bury)).to.equal('over');
    const document = silent('draining');
    document.takes({ type: 'renew', ref: b });
    expect(writesAt(a, document)).to.deep.equal([]);
    expect(document.offer(bury)).to.equal('over');
  });

  it('stays where it is at work, until its host is back or an operator takes that out', () => {
    const document = silent('running');
    expect(writesAt(a, document)).to.deep.equal([]);
    expect(document.offer(bury)).to.equal('over');
    document.takes({ type: 'remove', ...b });
    expect(document.offer(bury), 'a part may be written').to.equal('over');
  });
});

describe('a drain while another host is late with its renewal', () => {
  const own: OwnRun = { id: 'f', kind: 'sync', wants: 'drain', isTakenOver: false };

  /** What A writes for its run, that long after both have renewed. */
  function writesOfA(late: number, more: Partial<SiteRules>, renews: readonly HostRef[] = []): SiteEvent[] {
    const document = new Document();
    document.takes({ type: 'claim', kind: 'sync', ref: a, run: 'f' });
    document.now += late;
    for (const ref of renews) document.takes({ type: 'renew', ref });
    const { site, now } = document;
    const member: Member = { ref: a, name: 'web', site, deadline: Infinity };
    const past = (): null => null;
    const local = { isIdle: false, rest: null, run: own, reloaded: null, waiters: new Set<string>(), past };
    return writesOf(member, local, now, { ...rules, renewal: 30, ...more });
  }
  const drain: SiteEvent = { type: 'drain', ref: a, run: 'f' };

  it('waits with open gates once that is half as late again as it renews', () => {
    expect(writesOfA(45, {})).to.deep.equal([drain]);
    expect(writesOfA(46, {})).to.deep.equal([]);
    expect(writesOfA(46, {}, [b]), 'it has renewed').to.deep.equal([drain]);
    expect(writesOfA(46, {}, [a]), 'this host does not count').to.deep.equal([]);
  });

  it('does not wait where nobody is evicted: it would wait for ever', () => {
    expect(writesOfA(46, { onPartition: 'serve' })).to.deep.equal([drain]);
  });
});

describe('a run that is given up', () => {
  const run = { ref: b, run: 'f' };

  it('is one whose host is gone, by the order of an operator at any other, whatever it was doing', () => {
    for (const kind of ['sync', 'exec'] as const) {
      const document = new Document();
      document.takes({ type: 'claim', kind, ...run }, { type: 'drain', ...run });
      document.rest(a, b);
      document.takes({ type: 'begin', ...run });
      expect(document.offer({ type: 'abandon', ref: a, run: 'f' }), 'its host is there').to.equal('over');
      document.evictB();
      expect(document.offer({ type: 'abandon', ref: a, run: 'g' }), 'another run').to.equal('over');
      document.takes({ type: 'abandon', ref: a, run: 'f' });
      expect(document.site.run, kind).to.equal(null);
    }
  });
});

describe('a feed that has ended', () => {
  it('is told to all hosts by the write that lets their gates open, and the last twenty stay', () => {
    const document = new Document();
    const outcome = { collection: 'resources', outcome: 'succeeded', counts: null } as const;
    for (let number = 0; number < 25; number++) {
      const run = { ref: b, run: `f${number}` };
      document.takes({ type: 'claim', kind: 'sync', ...run }, { type: 'drain', ...run });
      document.rest(a, b);
      document.takes({ type: 'begin', ...run });
      const { version } = document.site;
      document.takes({ type: 'end', ...run, mirrored: outcome });
      expect(document.site).to.include({ version: version + 1, run: null });
      expect(document.site.mirrored?.at(-1)).to.deep.equal({ run: run.run, host: 'B', ...outcome });
    }
    expect(document.site.mirrored?.map(({ run }) => run)).to.deep.equal(
      Array.from({ length: 20 }, (_, n) => `f${n + 5}`),
    );
  });
});
