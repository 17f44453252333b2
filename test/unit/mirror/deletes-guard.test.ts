import { expect } from 'chai';
import type { QuiesceError } from '#quiesce/errors.js';
import { checkDeletes } from '#quiesce/mirror/deletes-guard.js';
import type { MaxDeletes } from '#quiesce/protocol/feed/max-deletes.js';

type Case = [deletes: number, stored: number, maxDeletes?: MaxDeletes];

function refusalOf(...[deletes, stored, maxDeletes]: Case): QuiesceError | null {
  try {
    checkDeletes({ deletes, stored, items: stored - deletes }, maxDeletes);
    return null;
  } catch (error) {
    return error as QuiesceError;
  }
}

describe('a feed that deletes', () => {
  const taken: Case[] = [
    [0, 0],
    [100, 100],
    [100, 101],
    [5_000, 10_000],
    [200, 200, '100%'],
    [200, 200, 200],
    [1, 200, '0.5%'],
  ];
  for (const one of taken) it(`${one.join(', ')} is taken`, () => expect(refusalOf(...one)).to.equal(null));

  const refused: Case[] = [
    [101, 101],
    [101, 201],
    [5_001, 10_000],
    [1, 200, 0],
    [2, 200, '0.5%'],
    [200, 200, '99.9%'],
  ];
  for (const one of refused) {
    it(`${one.join(', ')} is refused`, () => expect(refusalOf(...one)?.code).to.equal('too-many-deletes'));
  }

  it('too much is told how many of how many, and how to allow it', () => {
    const empty = refusalOf(150, 150);
    expect(empty?.extra).to.deep.equal({ deletes: 150, stored: 150 });
    expect(empty?.message).to.equal(
      'The feed is empty: it would delete 150 of 150 documents, more than half of them. Nothing was changed. Is the feed complete? If it is, send it again with ?maxDeletes=150 (quiesce sync --max-deletes 150); the setting sync.max_deletes is for every feed.',
    );
    const set = refusalOf(3, 4, '50%');
    expect(set?.extra).to.deep.equal({ deletes: 3, stored: 4, maxDeletes: '50%' });
    expect(set?.message).to.contain('The feed would delete 3 of 4 documents, and max_deletes allows 50%.');
  });
});
