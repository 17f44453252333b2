import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import type { Site } from '#quiesce/cluster/document.js';
import { newSite } from '#quiesce/cluster/founding.js';
import { describeProcess, hostFile } from '#quiesce/primary/data-dir/lock-owner.js';
import { identify, keepMembership, readHost, type HandedMembership } from '#quiesce/primary/hosts/identity.js';
import { scratchFolders } from '../../scratch.ts';

const handed = (incarnation: string): HandedMembership => ({
  incarnation,
  deadline: 1_000,
  sleepOffset: 5,
  site: { ...newSite('one', 3, null), format: 1 } as Site,
  heard: ['run-1'],
});

describe('which host of a cluster a primary is', () => {
  const scratch = scratchFolders();
  const nobody = { former: [], beside: false };
  const self = { former: [{ id: 1, pid: process.pid }], beside: true };

  /** A data directory whose last primary was a process that has ended. */
  async function leftByDead(folder: string): Promise<string> {
    const { own } = await identify(folder, 'site', nobody);
    const child = spawn(process.execPath, ['-e', '0']);
    const dead = describeProcess(child.pid!);
    await once(child, 'close');
    await writeFile(hostFile(folder), JSON.stringify({ ...own, process: dead }));
    return own.primary;
  }

  it('keeps its id, and replaces its former primary at once only where that is dead', async () => {
    const folder = scratch();
    const first = await identify(folder, 'site', nobody);
    expect(first).to.include({ replaces: null, membership: null });
    const beside = await identify(folder, 'site', nobody);
    expect(beside.own.id).to.equal(first.own.id);
    expect(beside.own.primary).to.not.equal(first.own.primary);
    expect(beside.replaces, 'this process is alive').to.equal(null);
    const primary = await leftByDead(folder);
    expect((await identify(folder, 'site', nobody)).replaces).to.equal(primary);
    await leftByDead(folder);
    expect((await identify(folder, 'other', nobody)).replaces, 'of another cluster').to.equal(null);
  });

  it('goes on as the member that a primary has handed over which still finishes', async () => {
    const folder = scratch();
    const former = await identify(folder, 'site', nobody);
    await keepMembership(former, handed(`${former.own.primary}.1`));
    const { own, membership, replaces } = await identify(folder, 'site', self);
    expect(membership).to.deep.equal(handed(`${former.own.primary}.1`));
    expect([own.id, own.primary]).to.deep.equal([former.own.id, former.own.primary]);
    expect(replaces).to.equal(former.own.primary);
    expect(await readHost(folder), 'nobody takes it a second time').to.not.have.property('membership');
  });

  it('joins anew where the membership is not of a primary that has just yielded', async () => {
    const folder = scratch();
    const former = await identify(folder, 'site', nobody);
    await keepMembership(former, handed(`${former.own.primary}.1`));
    const text = JSON.stringify(await readHost(folder));
    for (const [predecessors, cluster] of [
      [{ former: [], beside: true }, 'site'],
      [{ ...self, beside: false }, 'site'],
      [self, 'other'],
    ] as const) {
      await writeFile(hostFile(folder), text);
      const { own, membership } = await identify(folder, cluster, predecessors);
      expect(membership).to.equal(null);
      expect(own.primary).to.not.equal(former.own.primary);
    }
  });

  it('waits for a former primary that is alive, and then replaces it', async () => {
    const folder = scratch();
    const former = await identify(folder, 'site', nobody);
    expect((await identify(folder, 'site', { ...self, beside: false })).replaces).to.equal(former.own.primary);
  });
});
