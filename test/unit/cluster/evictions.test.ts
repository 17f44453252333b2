import { expect } from 'chai';
import { evictionsBetween } from '#quiesce/cluster/evictions.js';
import { newSite } from '#quiesce/cluster/founding.js';
import type { HostRef, Site } from '#quiesce/cluster/document.js';
import { evicted, newMember, sees, type Member } from '#quiesce/cluster/member.js';
import { a, b, Document, rules } from './two-hosts.ts';

describe('an eviction', () => {
  const at = (ref: HostRef, site: Site): Member => sees(newMember(ref, 'web'), site);

  it('is of another host where that is gone and its lease was over, and of this host where it is gone itself', () => {
    const document = new Document();
    const before = document.site;
    document.evictB();
    const { site, now } = document;
    expect(evictionsBetween(at(a, before), sees(at(a, before), site), now, rules)).to.deep.equal(['other_host']);
    const out = sees(at(b, before), site);
    expect(evictionsBetween(at(b, before), out, now, rules)).to.deep.equal(['this_host']);
    // Told by the change stream, and then by a renewal that is refused.
    expect(evictionsBetween(out, evicted(out, '2'), now, rules)).to.deep.equal([]);
  });

  it('is seen where the host has joined again by the time', () => {
    const document = new Document();
    const before = document.site;
    document.evictB();
    document.takes({ type: 'join', ref: { ...b, incarnation: '2' }, name: 'web' });
    const seen = evictionsBetween(at(a, before), sees(at(a, before), document.site), document.now, rules);
    expect(seen).to.deep.equal(['other_host']);
  });

  it("is none where a host comes back after its lease and `on_partition: 'serve'` keeps it in, but is where an operator removes it", () => {
    const serving = { ...rules, onPartition: 'serve' } as const;
    const document = new Document();
    const before = document.site;
    document.now += 100_000;
    const host = before.hosts[b.host]!;
    const back = { ...before, hosts: { ...before.hosts, [b.host]: { ...host, incarnation: '2' } } };
    expect(evictionsBetween(at(a, before), sees(at(a, before), back), document.now, serving)).to.deep.equal([]);
    const { [b.host]: _removed, ...others } = before.hosts;
    const without = { ...before, hosts: others };
    expect(evictionsBetween(at(a, before), sees(at(a, before), without), document.now, serving)).to.deep.equal([
      'other_host',
    ]);
  });

  it('is none where a host leaves, is replaced by its next primary, joins or renews, or the document is another', () => {
    const document = new Document();
    const before = document.site;
    const seen = (site: Site): unknown =>
      evictionsBetween(at(a, before), sees(at(a, before), site), document.now, rules);
    document.now += 90;
    document.takes({ type: 'renew', ref: a }, { type: 'renew', ref: b });
    document.now += 90;
    expect(seen(document.site)).to.deep.equal([]);
    const renewed = document.site;
    document.takes({ type: 'leave', ref: b });
    expect(evictionsBetween(at(a, renewed), sees(at(a, renewed), document.site), document.now, rules)).to.deep.equal(
      [],
    );
    document.takes({ type: 'join', ref: { ...b, incarnation: '2' }, name: 'web' });
    expect(evictionsBetween(at(a, renewed), sees(at(a, renewed), document.site), document.now, rules)).to.deep.equal(
      [],
    );
    expect(seen(newSite('two', 9, 1_000))).to.deep.equal([]);
    expect(evictionsBetween(newMember(a, 'web'), at(a, before), document.now, rules)).to.deep.equal([]);
  });
});
