import { expect } from 'chai';
import type { Site, SiteRules } from '#quiesce/cluster/document.js';
import type { SiteEvent } from '#quiesce/cluster/events.js';
import { isForgetful, isSettled, newSite, refounded } from '#quiesce/cluster/founding.js';
import { newMember, sees, writesOf } from '#quiesce/cluster/member.js';
import { siteStep } from '#quiesce/cluster/site.js';

const rules: SiteRules = { lease: 30_000, evictionGrace: 5_000, margin: 1_000, onPartition: 'shut' };
const ref = { host: 'a', incarnation: '1.1' };

/** After these events, each at the time 0. */
function after(site: Site, ...events: SiteEvent[]): Site {
  return events.reduce((now, event) => {
    const step = siteStep(now, event, 0, rules);
    expect(step.refused).to.equal(null);
    return step.site;
  }, site);
}

describe('how a site document begins', () => {
  const first = after(newSite('one', 7, null), { type: 'join', ref, name: 'A' });
  const later = after(
    first,
    { type: 'claim', ref, run: 'r', kind: 'sync' },
    { type: 'drain', ref, run: 'r' },
    { type: 'rest', ref, epoch: 8 },
    { type: 'begin', ref, run: 'r' },
  );

  it('knows a backup from what was written since, and a late answer from neither', () => {
    expect(isForgetful(first, later, false)).to.equal(true);
    expect(isForgetful({ ...first, version: later.version }, later, true), 'it was just written to').to.equal(true);
    expect(isForgetful(later, first, true)).to.equal(false);
    expect(isForgetful(newSite('two', 3, 0), later, false), 'made anew, with an epoch that was used').to.equal(true);
    expect(isForgetful(newSite('two', 9, 0), later, false), 'it knows of the newest epoch').to.equal(false);
  });

  it('keeps a hold and a half-done run where a host that has just started makes the document anew, with the epoch that they have', () => {
    const held = after(later, {
      type: 'hold',
      ref,
      change: { reason: 'moving', lasts: null, by: null },
      waiter: null,
    });
    const anew = newSite('two', held.epoch, 0);
    expect(isForgetful(anew, held, false)).to.equal(true);
    const next = refounded(anew, held, 'three', 0)!;
    expect(next).to.include({ identity: 'three', epoch: held.epoch + 1, run: held.run, operator: held.operator });
    expect(isForgetful(next, held, false), 'the successor of both').to.equal(false);
    expect(isForgetful(next, anew, false), 'the successor of both').to.equal(false);
  });

  it('puts what is remembered in the place of a backup: no host, an epoch that nobody has used, a run that is half done', () => {
    const next = refounded(first, later, 'two', 500)!;
    expect(next).to.include({ identity: 'two', epoch: 9, founded: 500, run: later.run });
    expect(next.hosts).to.deep.equal({});
    const claimed = after(first, { type: 'claim', ref, run: 'r', kind: 'sync' });
    expect(refounded(first, claimed, 'two', 500)!.run, 'a run that has not written ends').to.equal(null);
    expect(refounded(later, first, 'two', 500), 'nothing is put in the place of a newer one').to.equal(null);
  });

  it('lets another host take over the half-done run of a lost one, once no forgotten lease is left', () => {
    const own = { host: 'b', incarnation: '2.1' };
    const site = after({ ...refounded(first, later, 'two', 0)! }, { type: 'join', ref: own, name: 'B' });
    const member = sees(newMember(own, 'B'), site);
    const local = {
      rest: site.epoch,
      isIdle: true,
      run: null,
      reloaded: null,
      waiters: new Set<string>(),
      past: () => 'left' as const,
    };
    const takeOver: SiteEvent = { type: 'take-over', ref: own, run: 'r' };
    expect(writesOf(member, local, 0, rules)).to.deep.include(takeOver);
    expect(siteStep(site, takeOver, 36_000, rules).refused).to.equal('not-yet');
    expect(siteStep(site, takeOver, 36_001, rules).site.run?.owner).to.include(own);
  });

  it('begins no pause before the leases of those that are forgotten have ended', () => {
    const site = after(
      { ...refounded(first, { ...later, run: null }, 'two', 0)! },
      { type: 'join', ref, name: 'A' },
      { type: 'claim', ref, run: 's', kind: 'exclusive' },
    );
    const drain: SiteEvent = { type: 'drain', ref, run: 's' };
    expect(siteStep(site, drain, 36_000, rules).refused).to.equal('not-yet');
    expect(siteStep(site, drain, 36_001, rules).refused).to.equal(null);
    expect(isSettled(first, 0, rules), 'no cluster was here before').to.equal(true);
  });
});
