import { expect } from 'chai';
import type { HostRef } from '#quiesce/cluster/document.js';
import { ClusterOperations } from '#quiesce/primary/hosts/cluster-operations.js';
import type { RunKind } from '#quiesce/protocol/words.js';
import { a, b, Document } from '../../cluster/two-hosts.ts';

describe('an order to end a run that is not of this host', () => {
  /** A run of B has the site. */
  function running(kind: RunKind): Document {
    const document = new Document();
    const run = { ref: b, run: 'x' };
    document.takes({ type: 'claim', kind, ...run }, { type: 'drain', ...run });
    document.rest(a, b);
    document.takes({ type: 'begin', ...run, shared: true });
    return document;
  }

  function at(ref: HostRef, { site }: Document): ClusterOperations {
    const agreement = { host: { member: { ref, name: 'web', site, deadline: Infinity } } };
    return new ClusterOperations(agreement as never, {} as never, {} as never);
  }

  it('is told at which host it has to be given', () => {
    const document = running('exclusive');
    expect(at(a, document).elsewhere('x', 'cancel')).to.equal('Run x is at host web-2: cancel it there.');
    expect(at(a, document).elsewhere('x', 'abandon')).to.equal('Run x is at host web-2: abandon it there.');
    expect(at(b, document).elsewhere('x', 'cancel'), 'of this host').to.equal(null);
    expect(at(a, document).elsewhere('y', 'cancel'), 'none that is going on').to.equal(null);
  });

  it('is told what ends it where its host is gone', () => {
    for (const [kind, how] of [
      ['sync', 'quiesce runs abandon x'],
      ['exec', 'quiesce maintenance off'],
    ] as const) {
      const document = running(kind);
      document.evictB();
      expect(at(a, document).elsewhere('x', 'cancel'), kind).to.equal(
        `Run x was at host web-2, which is gone. To give it up, at any host: ${how}`,
      );
    }
  });
});
