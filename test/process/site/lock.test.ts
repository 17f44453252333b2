import { expect } from 'chai';
import { fork, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describeSelf, lifeOf, ownerFile, readOwner } from '#quiesce/primary/data-dir/lock-owner.js';
import { writeDurably } from '#quiesce/primary/data-dir/durable.js';
import { acquireLock } from '#quiesce/primary/data-dir/lock.js';
import type { QuiesceError } from '#quiesce/errors.js';
import { quiesce } from '../harness/commands/command.ts';
import { scratchFolders } from '../../unit/scratch.ts';

interface Word {
  readonly held?: number;
  readonly refused?: string;
  readonly lost?: string;
}

const scratch = scratchFolders();
/** Shorter than in earnest, ms. */
const stale = 3000;

describe('the lock of a data directory', function () {
  this.timeout(120_000);
  const children: ChildProcess[] = [];

  function holder(folder: string, after = stale): ChildProcess {
    const child = fork(fileURLToPath(new URL('../fixtures/programs/hold-lock.js', import.meta.url)), [
      folder,
      String(after),
    ]);
    children.push(child);
    return child;
  }

  async function word(child: ChildProcess): Promise<Word> {
    const [message] = (await once(child, 'message')) as [Word];
    return message;
  }

  async function kill(child: ChildProcess): Promise<void> {
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }

  afterEach(async () => {
    const running = children.splice(0).filter((child) => child.exitCode === null && child.signalCode === null);
    await Promise.all(running.map(async (child) => kill(child)));
  });

  it('is held by one, refuses the next naming the pid, and is free after its release', async () => {
    const folder = scratch();
    const first = holder(folder);
    expect(await word(first)).to.deep.equal({ held: first.pid });
    const second = holder(folder);
    const ended = once(second, 'exit');
    expect((await word(second)).refused).to.include(`pid ${first.pid} `);
    expect(await ended).to.deep.equal([3, null]);
    first.send('release');
    await once(first, 'exit');
    expect(readdirSync(folder)).to.deep.equal([]);
    expect(await word(holder(folder))).to.have.property('held');
  });

  it('is taken over at once when its holder was killed', async () => {
    const folder = scratch();
    const first = holder(folder, 60_000);
    await word(first);
    await kill(first);
    const begun = Date.now();
    const second = holder(folder, 60_000);
    expect(await word(second)).to.deep.equal({ held: second.pid });
    expect(Date.now() - begun).to.be.lessThan(30_000);
    expect(readdirSync(folder)).to.have.members(['primary.lock', 'primary.json']);
  });

  it('is what a command tells of where its holder does not listen yet, or no longer', async () => {
    const folder = scratch();
    const { held } = await word(holder(folder));
    const { code, err } = await quiesce(['status', '--data-dir', folder], { cwd: folder });
    expect(code).to.equal(5);
    expect(err).to.include(`The primary with pid ${held} does not listen`).and.include(`kill ${held}\n`);
  });

  it('goes to one of twenty that find it orphaned at once', async () => {
    const folder = scratch();
    const dead = holder(folder);
    await word(dead);
    await kill(dead);
    const all = Array.from({ length: 20 }, () => holder(folder));
    const exits = all.map((child) => once(child, 'exit'));
    const words = await Promise.all(all.map((child) => word(child)));
    const winners = words.filter(({ held }) => held !== undefined);
    expect(winners).to.have.length(1);
    const refused = words.filter((said) => said.refused?.includes(`pid ${winners[0]?.held} `));
    expect(refused, JSON.stringify(words)).to.have.length(19);
    const lost = Promise.race(all.map(async (child) => once(child, 'message')));
    const codes = await Promise.all(exits.filter((_, index) => words[index]?.held === undefined));
    expect(codes.every(([code]) => code === 3)).to.equal(true);
    // The holder touches the lock well within this time, and would find that it had been taken from it.
    const verdict = await Promise.race([lost, sleep(stale, 'still held')]);
    expect(verdict).to.equal('still held');
  });

  it('is lost by a holder that was stopped for too long, and that learns of it when it goes on', async () => {
    const folder = scratch();
    const first = holder(folder);
    await word(first);
    first.kill('SIGSTOP');
    const lock = path.join(folder, 'primary.lock');
    // It is touched with times up to a second ahead.
    while (Date.now() - statSync(lock).mtimeMs <= stale) await sleep(50);
    const second = holder(folder);
    expect(await word(second)).to.deep.equal({ held: second.pid });
    const said = word(first);
    first.kill('SIGCONT');
    expect(await said).to.have.property('lost');
    const exit = once(first, 'exit');
    first.send('release');
    await exit;
    expect(existsSync(lock), 'the new lock is left alone').to.equal(true);
    expect(readOwner(folder)?.pid).to.equal(second.pid);
  });

  it('of a holder elsewhere is left alone while it is touched, and taken over when it is not', async () => {
    const folder = scratch();
    // A container of its own cannot be had here; a holder here that claims to be there can.
    const first = holder(folder);
    await word(first);
    writeFileSync(ownerFile(folder), JSON.stringify({ ...readOwner(folder), place: 'another host' }));
    const refused = await acquireLock(folder, { lost: () => undefined }, stale).catch((error: QuiesceError) => error);
    expect(refused).to.have.property('code', 'already-running');
    await kill(first);
    const taken = await acquireLock(folder, { lost: () => undefined }, stale);
    await taken.release();
  });

  it('is made anew by its holder where the folder was removed, and lost where another was faster', async () => {
    const folder = path.join(scratch(), 'data');
    mkdirSync(folder);
    const events = new EventEmitter();
    const lock = await acquireLock(
      folder,
      { lost: (reason) => events.emit('lost', reason), kept: ({ anew }) => anew && events.emit('anew') },
      stale,
    );
    const anew = once(events, 'anew');
    rmSync(folder, { recursive: true });
    await anew;
    expect(readOwner(folder)?.pid).to.equal(process.pid);
    expect((await word(holder(folder))).refused).to.include(`pid ${process.pid} `);

    const lost = once(events, 'lost');
    rmSync(folder, { recursive: true });
    mkdirSync(path.join(folder, 'primary.lock'), { recursive: true });
    expect(await lost).to.deep.equal(['another process has it']);
    // One guard for all that is written under the lock.
    const error = await writeDurably(path.join(folder, 'maintenance.json'), '{}').catch((thrown: unknown) => thrown);
    expect(error).to.include({ code: 'lock-lost' });
    await lock.release();
    expect(readdirSync(folder)).to.deep.equal(['primary.lock']);
  });

  it('is taken over although another takeover died halfway', async () => {
    const folder = scratch();
    const dead = holder(folder);
    await word(dead);
    await kill(dead);
    const record = readOwner(folder)!;
    symlinkSync(
      JSON.stringify([record.pid, record.startTime, record.place]),
      path.join(folder, `takeover.${record.lock}`),
    );
    const lock = await acquireLock(folder, { lost: () => undefined }, stale);
    expect(readdirSync(folder)).to.have.members(['primary.lock', 'primary.json']);
    await lock.release();
  });

  it('tells a process from another one that got its pid', () => {
    const self = describeSelf('x');
    expect(lifeOf(self)).to.equal('alive');
    expect(lifeOf({ ...self, startTime: '1' })).to.equal('dead');
    expect(lifeOf({ ...self, place: 'another host' })).to.equal('elsewhere');
    expect(lifeOf({ ...self, pid: 2 ** 22 + 1 })).to.equal('dead');
  });
});
