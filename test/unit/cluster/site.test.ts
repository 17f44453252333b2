import { expect } from 'chai';
import { isQuiesced, pauseOf, type HostRef } from '#quiesce/cluster/document.js';
import type { SiteEvent } from '#quiesce/cluster/events.js';
import { newSite, refounded } from '#quiesce/cluster/founding.js';
import { mostAhead } from '#quiesce/cluster/site-ticks.js';
import { a, b, Document } from './two-hosts.ts';

const change = { reason: 'moving', lasts: null, by: 'kim' };

describe('holds of all hosts', () => {
  it('pause them, until any host opens them', () => {
    const document = new Document();
    document.takes({ type: 'hold', ref: a, change, waiter: null });
    expect(pauseOf(document.site)).to.equal(1);
    expect(document.site.operator).to.include({ reason: 'moving', by: 'kim', since: 1_000, until: null });
    expect(isQuiesced(document.site)).to.equal(false);
    document.rest(a, b);
    expect(isQuiesced(document.site)).to.equal(true);
    document.takes({ type: 'unhold', ref: b });
    expect(pauseOf(document.site)).to.equal(null);
    expect(document.offer({ type: 'unhold', ref: b })).to.equal('over');
  });

  it('go with the last of those for whose sake alone they stand, and stay for one who wants them in any case', () => {
    const document = new Document();
    document.takes({ type: 'hold', ref: a, change, waiter: 'one' }, { type: 'hold', ref: b, change, waiter: 'two' });
    document.takes({ type: 'give-up', ref: a, waiter: 'one' });
    expect(document.site.operator).not.to.equal(null);
    expect(document.offer({ type: 'give-up', ref: a, waiter: 'two' }), "somebody else's").to.equal('over');
    document.takes({ type: 'give-up', ref: b, waiter: 'two' });
    expect(document.site.operator).to.equal(null);
    document.takes({ type: 'hold', ref: a, change, waiter: null }, { type: 'hold', ref: b, change, waiter: 'three' });
    expect(document.offer({ type: 'give-up', ref: b, waiter: 'three' })).to.equal('over');
    expect(document.site.operator).not.to.equal(null);
  });

  it('are theirs to end once all hosts are at rest', () => {
    const document = new Document();
    document.takes({ type: 'hold', ref: a, change, waiter: 'one' });
    document.rest(a, b);
    expect(document.offer({ type: 'give-up', ref: a, waiter: 'one' })).to.equal('over');
    expect(document.site.operator).not.to.equal(null);
  });

  it('go with the host whose caller waited', () => {
    const document = new Document();
    document.takes({ type: 'hold', ref: b, change, waiter: 'one' });
    document.evictB();
    expect(document.site.operator).to.equal(null);
  });

  it('begin and end by themselves, and one whose whole time has passed never begins', () => {
    const document = new Document();
    const hold = { at: 1_500, lasts: 100, reason: null, by: null };
    document.takes({ type: 'schedule', ref: a, hold });
    expect(document.offer({ type: 'begin-scheduled', ref: b })).to.equal('not-yet');
    document.now = 1_500;
    document.takes({ type: 'begin-scheduled', ref: b });
    expect(document.site).to.deep.include({ scheduled: null, epoch: 1 });
    expect(document.offer({ type: 'lapse', ref: a })).to.equal('not-yet');
    document.now = 1_600;
    document.takes({ type: 'lapse', ref: a });
    expect(document.site.operator).to.equal(null);
    document.takes({ type: 'schedule', ref: a, hold }, { type: 'begin-scheduled', ref: b });
    expect(document.site).to.deep.include({ scheduled: null, operator: null });
  });
});

describe('a command of quiesce exec', () => {
  it('keeps the site when its host is taken out, until an operator who knows of it opens the site', () => {
    const document = new Document();
    document.exec();
    document.evictB();
    expect(document.site.run?.id).to.equal('x');
    expect(document.offer({ type: 'bury', ref: a, run: 'x' })).to.equal('over');
    expect(document.offer({ type: 'unhold', ref: a }), 'sent before its host was gone').to.equal('over');
    document.takes({ type: 'unhold', ref: a, releases: 'x' });
    expect(pauseOf(document.site)).to.equal(null);
  });

  it('releases the site when its host is back, and leaves a hold where it asked for one', () => {
    for (const keeps of [undefined, { reason: 'migration', by: 'kim' }]) {
      const document = new Document();
      document.exec(keeps);
      document.evictB();
      document.takes({ type: 'join', ref: { host: 'B', incarnation: '2' }, name: 'web' });
      expect(document.site.run).to.equal(null);
      expect(document.site.operator?.reason).to.equal(keeps?.reason);
    }
  });

  it('leaves that hold where it fails, in the same step as it ends, and none where it succeeds', () => {
    for (const failed of [true, false]) {
      const document = new Document();
      document.exec({ reason: 'migration', by: null });
      const { epoch } = document.site;
      document.takes({ type: 'end', ref: b, run: 'x', failed });
      expect(document.site.operator?.reason).to.equal(failed ? 'migration' : undefined);
      expect(document.site.epoch, 'the gates do not open in between').to.equal(epoch);
    }
  });
});

describe('a host', () => {
  it('has a name of its own, also where several run on one machine', () => {
    const document = new Document();
    expect(document.site.hosts['A']?.name).to.equal('web');
    expect(document.site.hosts['B']?.name).to.equal('web-2');
    document.takes({ type: 'remove', ...b });
    expect(document.offer({ type: 'renew', ref: b })).to.equal('evicted');
    document.takes({ type: 'join', ref: { host: 'B', incarnation: '2' }, name: 'web' });
    expect(document.site.hosts['B']?.name).to.equal('web-2');
  });
});

describe('a host that starts again', () => {
  const next = { host: 'B', incarnation: 'second.1' };
  const join = (more: { replaces?: string } = {}): SiteEvent => ({ type: 'join', ref: next, name: 'web', ...more });

  it('waits until its former incarnation is to be evicted, and then takes its place', () => {
    const document = new Document();
    const before = document.site;
    expect(document.offer(join())).to.equal('host-in-use');
    document.now += 111;
    expect(document.offer(join()), 'at the last moment').to.equal('host-in-use');
    expect(document.site).to.equal(before);
    document.now += 1;
    document.takes(join());
    expect(document.site.hosts['B']).to.include({ incarnation: 'second.1', name: 'web-2' });
  });

  it('replaces the primary that it has seen dead at once, and no other', () => {
    const document = new Document();
    document.takes({ type: 'remove', ...b }, { type: 'join', ref: { host: 'B', incarnation: 'first.3' }, name: 'web' });
    for (const replaces of ['second', 'fir', 'first.3'])
      expect(document.offer(join({ replaces })), replaces).to.equal('host-in-use');
    document.takes(join({ replaces: 'first' }));
    expect(document.site.hosts['B']?.incarnation).to.equal('second.1');
    expect(document.offer({ type: 'renew', ref: { host: 'B', incarnation: 'first.3' } })).to.equal('evicted');
  });
});

describe('a reload of all hosts', () => {
  const reload: SiteEvent = { type: 'reload', ref: b, id: 'r', by: 'kim' };

  it('goes from host to host, the one that was asked first, and is one at a time', () => {
    const document = new Document();
    document.takes(reload, reload);
    expect(document.site.reload).to.deep.include({ left: ['B', 'A'], done: 0, of: 2 });
    expect(document.offer({ ...reload, id: 's' })).to.equal('reload-in-progress');
    expect(document.offer({ type: 'reloaded', ref: a, id: 'r', failed: null }), 'out of turn').to.equal('over');
    document.takes({ type: 'reloaded', ref: b, id: 'r', failed: null });
    expect(document.site.reload).to.deep.include({ left: ['A'], done: 1 });
    document.takes({ type: 'reloaded', ref: a, id: 'r', failed: null }, { ...reload, id: 's' });
  });

  it('stops at the first that fails, and says where and why', () => {
    const document = new Document();
    document.takes(reload, { type: 'reloaded', ref: b, id: 'r', failed: { code: 'bad-config', why: 'a comma' } });
    expect(document.site.reload).to.deep.include({
      left: [],
      done: 0,
      failed: { host: 'web-2', code: 'bad-config', why: 'a comma' },
    });
  });

  it('goes on without a host that is taken out', () => {
    const document = new Document();
    document.takes(reload);
    document.evictB();
    expect(document.site.reload).to.deep.include({ left: ['A'], done: 0, of: 1 });
  });
});

describe('a document that takes the place of one that was lost', () => {
  it('keeps what is held and a command that may be at work, and begins no pause while a forgotten host may serve', () => {
    const document = new Document();
    document.exec();
    document.takes({ type: 'hold', ref: a, change, waiter: null });
    const next = refounded(newSite('two', 0, null), document.site, 'three', document.now)!;
    expect(next.run?.id).to.equal('x');
    expect(next.operator?.reason).to.equal('moving');

    const empty = new Document();
    empty.site = { ...empty.site, founded: empty.now };
    expect(empty.offer({ type: 'hold', ref: a, change, waiter: null })).to.equal('not-yet');
    empty.now += 112;
    empty.takes({ type: 'hold', ref: a, change, waiter: null });
  });

  it('drops a hold that stood only for those who waited', () => {
    const document = new Document();
    document.takes({ type: 'hold', ref: a, change, waiter: 'one' });
    expect(refounded(newSite('two', 0, null), document.site, 'three', document.now)?.operator).to.equal(null);
  });
});

describe('what one host does for all', () => {
  const due = (ref: HostRef, at: number, what = 'cron_restart'): SiteEvent => ({ type: 'tick', ref, what, at });

  it('is won once for each time, by the first that says so', () => {
    const document = new Document();
    document.takes(due(a, 1_000));
    expect(document.offer(due(b, 1_000))).to.equal('over');
    document.takes(due(b, 1_000, 'source 1'), due(b, 1_001));
    expect(document.offer(due(a, 1_000)), 'its clock is behind').to.equal('over');
    expect(document.offer(due(a, 1_001))).to.equal('over');
  });

  it('is won again where the answer was lost, and nothing is written', () => {
    const document = new Document();
    document.takes(due(a, 1_000));
    const { version } = document.site;
    document.takes(due(a, 1_000));
    expect(document.site.version).to.equal(version);
    expect(document.offer(due({ ...a, incarnation: '2' }, 1_000)), 'of another incarnation').to.equal('evicted');
  });

  it('is not won by a host whose clock is far ahead, which would bar all others until then', () => {
    const document = new Document();
    expect(document.offer(due(a, document.now + mostAhead + 1))).to.equal('not-yet');
    document.takes(due(a, document.now + mostAhead));
  });

  it('is not won again where the document is restored', () => {
    const document = new Document();
    const backup = document.site;
    document.takes(due(a, 1_000), due(a, 5, 'source 1'), { type: 'renew', ref: a });
    const { ticks } = refounded(backup, document.site, 'two', 2_000)!;
    expect(ticks).to.deep.equal({ cron_restart: { at: 1_000, ...a }, 'source 1': { at: 5, ...a } });
    const older = { ...backup, ticks: { cron_restart: { at: 2_000, ...b } } };
    expect(refounded(older, document.site, 'two', 2_000)!.ticks!['cron_restart']!.at).to.equal(2_000);
  });
});
