import { expect } from 'chai';
import type { SiteEvent } from '#quiesce/cluster/events.js';
import { writesOf, type Member } from '#quiesce/cluster/member.js';
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
