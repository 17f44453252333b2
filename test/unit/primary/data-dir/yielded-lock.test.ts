import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { QuiesceError } from '#quiesce/errors.js';
import { writeWhole } from '#quiesce/primary/data-dir/durable.js';
import { acquireLock } from '#quiesce/primary/data-dir/lock.js';
import { keptBy, readOwner } from '#quiesce/primary/data-dir/lock-owner.js';
import { scratchFolders } from '../../scratch.ts';

const events = { lost: (reason: string) => expect.fail(reason) };

describe('a lock that is handed over', () => {
  const scratch = scratchFolders();
  before(() => keptBy(process.ppid));

  async function codeOf(promise: Promise<unknown>): Promise<string | null> {
    return promise.then(
      () => null,
      (error: unknown) => (error as QuiesceError).code,
    );
  }

  it('is never free, is adopted by the next primary of the same keeper, and is gone with that one', async () => {
    const dataDir = scratch();
    const former = await acquireLock(dataDir, events);
    const { lock } = readOwner(dataDir)!;
    await former.yield();
    expect(readOwner(dataDir)).to.include({ lock, yielded: true });
    expect(await codeOf(writeWhole(join(dataDir, 'file'), '')), 'a write of the former one').to.equal('lock-lost');
    await former.release();
    expect(existsSync(join(dataDir, 'primary.lock'))).to.equal(true);

    const next = await acquireLock(dataDir, events);
    expect(readOwner(dataDir)).to.include({ lock, pid: process.pid }).and.not.to.have.property('yielded');
    await writeWhole(join(dataDir, 'file'), '');
    await next.release();
    expect(existsSync(join(dataDir, 'primary.lock'))).to.equal(false);
    expect(readOwner(dataDir)).to.equal(undefined);
  });

  it('is held for everybody else', async () => {
    const dataDir = scratch();
    const former = await acquireLock(dataDir, events);
    await former.yield();
    const file = join(dataDir, 'primary.json');
    const record = JSON.parse(readFileSync(file, 'utf8')) as { keeper: { pid: number } };
    writeFileSync(file, JSON.stringify({ ...record, keeper: { pid: process.pid, startTime: null } }));
    expect(await codeOf(acquireLock(dataDir, events))).to.equal('already-running');
    await former.release();
  });
});
