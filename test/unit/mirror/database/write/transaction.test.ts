import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { ClientSession } from 'mongodb';
import { TransactionTooLarge } from '#quiesce/mirror/database/write/transaction-errors.js';
import { transact } from '#quiesce/mirror/database/write/transaction.js';

describe('a transaction', () => {
  it('that takes longer than one attempt may is given up as too large, without another try or a commit', async () => {
    const calls: string[] = [];
    const session = {
      startTransaction: () => void calls.push('start'),
      inTransaction: () => true,
      abortTransaction: async () => void calls.push('abort'),
      commitTransaction: async () => void calls.push('commit'),
    } as unknown as ClientSession;
    const outcome = { uncertain: false };
    const slow = async (left: () => number): Promise<void> => {
      expect(left()).to.be.within(1, 20);
      await sleep(40);
      left();
    };
    const patience = { conflicts: 60_000, attempt: 20, commit: 60_000 };
    const error: unknown = await transact(session, slow, patience, outcome).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(TransactionTooLarge);
    expect(calls).to.deep.equal(['start', 'abort']);
    expect(outcome).to.deep.equal({ uncertain: false });
  });
});
