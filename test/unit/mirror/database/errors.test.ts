import { expect } from 'chai';
import { MongoServerError } from 'mongodb';
import { isOutOfRoom, isTooLarge, isTransient, plainMessage } from '#quiesce/mirror/database/errors.js';

describe('a message of MongoDB', () => {
  it('is told without the command that it quotes', () => {
    const command =
      '{ renameCollection: "shop.a", to: "shop.b", lsid: { id: UUID("0f0e") }, $clusterTime: { signature: { hash: BinData(0, AA) } } }';
    expect(plainMessage(new Error(`not authorized on admin to execute command ${command}`))).to.equal(
      'not authorized on admin to execute the command renameCollection',
    );
  });

  it('is told as it is where it quotes none, and not at any length', () => {
    expect(plainMessage(new Error('the command failed: { a: 1 }'))).to.equal('the command failed: { a: 1 }');
    expect(plainMessage(new Error('x'.repeat(64_000)))).to.have.lengthOf(1000);
  });
});

/** As MongoDB 7.0.15 answered, with a cache of 256 MB. */
const evicted = {
  code: 112,
  codeName: 'WriteConflict',
  errmsg:
    'Caused by :: -31800: oldest pinned transaction ID rolled back for eviction :: Please retry your operation or multi-document transaction.',
  errorLabels: ['TransientTransactionError'],
};
const conflict = {
  code: 112,
  codeName: 'WriteConflict',
  errmsg:
    'Caused by :: Write conflict during plan execution and yielding is disabled. :: Please retry your operation or multi-document transaction.',
  errorLabels: ['TransientTransactionError'],
};

describe('an error of MongoDB in a transaction', () => {
  it('says that the transaction is too large for the cache, and not that another write is in the way', () => {
    expect(isTooLarge(new MongoServerError(evicted))).to.equal(true);
    expect(isTooLarge(new MongoServerError(conflict))).to.equal(false);
    expect(isTransient(new MongoServerError(conflict))).to.equal(true);
  });

  it('says nothing of its size where it is not known what became of the commit', () => {
    const unknown = {
      code: 50,
      errmsg: 'operation exceeded time limit',
      errorLabels: ['UnknownTransactionCommitResult'],
    };
    expect(isTooLarge(new MongoServerError(unknown))).to.equal(false);
  });
});

describe('an error of a MongoDB that has no room', () => {
  const noRoom = [
    { code: 14_031, codeName: 'OutOfDiskSpace', errmsg: 'available disk space is less than required' },
    { code: 8000, codeName: 'AtlasError', errmsg: 'you are over your space quota, using 512 MB of 512 MB' },
    { code: 371, codeName: 'UserWritesBlocked', errmsg: 'User writes blocked, reason: DiskUseThresholdExceeded' },
    { code: 28, codeName: 'UnknownError', errmsg: '28: No space left on device' },
  ];
  for (const error of noRoom)
    it(`is known by ${error.codeName}`, () => expect(isOutOfRoom(new MongoServerError(error))).to.equal(true));

  it('is not taken for another refusal', () => {
    const blocked = { code: 371, codeName: 'UserWritesBlocked', errmsg: 'User writes blocked' };
    expect(isOutOfRoom(new MongoServerError(blocked))).to.equal(false);
    expect(isOutOfRoom(new MongoServerError({ code: 8000, errmsg: 'bad auth : authentication failed' }))).to.equal(
      false,
    );
    expect(isOutOfRoom(new Error('no space left'))).to.equal(false);
  });
});
