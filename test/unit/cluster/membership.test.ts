import { expect } from 'chai';
import { deadlineFrom, mayOpen, newMember, sees, writesOf, type Local, type Member } from '#quiesce/cluster/member.js';
import { inherited, observed } from '#quiesce/cluster/membership.js';
import { a, Document, rules } from './two-hosts.ts';

const busy: Local = {
  rest: null,
  isIdle: false,
  run: null,
  reloaded: null,
  waiters: new Set(),
  past: () => null,
};
const idle: Local = { ...busy, isIdle: true };

function inDocument({ site }: Document, deadline: number, version?: string): Member {
  return inherited(newMember(a, 'web', version), { incarnation: a.incarnation, deadline, site }, rules);
}

describe('the membership of a host whose primary is replaced', () => {
  it('is open at once for the successor, until the deadline of the last renewal', () => {
    const document = new Document();
    const member = inDocument(document, 500);
    expect([mayOpen(member, 500), mayOpen(member, 501)]).to.deep.equal([true, false]);
    const serve = inherited(
      newMember(a, 'web'),
      { incarnation: a.incarnation, deadline: 500, site: document.site },
      {
        ...rules,
        onPartition: 'serve',
      },
    );
    expect(mayOpen(serve, 1e9)).to.equal(true);
  });

  it('is shut for the successor where the former primary has seen a pause, whatever older document comes', () => {
    const document = new Document();
    const before = document.site;
    document.takes({ type: 'hold', ref: a, change: { reason: '', lasts: null, by: null }, waiter: null });
    expect(mayOpen(sees(inDocument(document, 500), before), 100)).to.equal(false);
  });

  it('lets the former primary finish for as long as the lease goes that its successor renews', () => {
    const document = new Document();
    const member = inDocument(document, 40);
    document.now += 30;
    document.takes({ type: 'renew', ref: a });
    const read = observed(sees(member, document.site), 30, document.now, rules);
    expect(read.deadline).to.equal(deadlineFrom(30, rules));
    // Read later, there is less of it left; and what was known before stays.
    expect(observed(read, 60, document.now + 30, rules).deadline).to.be.closeTo(read.deadline, 1);
    expect(observed(read, 0, document.now + 90, rules).deadline).to.equal(read.deadline);
  });

  it('ends for the former primary where the host is taken out', () => {
    const document = new Document();
    const member = inDocument(document, 500);
    document.takes({ type: 'remove', ...a });
    const read = observed(sees(member, document.site), 100, document.now, rules);
    expect([read.deadline, mayOpen(read, 100)]).to.deep.equal([-Infinity, false]);
  });

  it('is taken anew only when nothing of a former primary is at work, also before the document was seen', () => {
    const fresh = newMember(a, 'web', '2.0.0');
    expect(writesOf(fresh, busy, 0, rules)).to.deep.equal([]);
    expect(writesOf(fresh, idle, 0, rules)).to.deep.equal([{ type: 'join', ref: a, name: 'web', version: '2.0.0' }]);
  });

  it('tells the others of another version, once', () => {
    const document = new Document();
    const event = { type: 'update', ref: a, version: '2.0.0' } as const;
    expect(writesOf(inDocument(document, 500, '2.0.0'), idle, document.now, rules)).to.deep.equal([event]);
    const { rest } = document.site.hosts[a.host]!;
    document.takes(event);
    expect(document.site.hosts[a.host]).to.include({ version: '2.0.0', rest });
    expect(writesOf(inDocument(document, 500, '2.0.0'), idle, document.now, rules)).to.deep.equal([]);
  });
});
