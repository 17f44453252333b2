import { expect } from 'chai';
import { settings, World, type Process } from './fleet-world.ts';

describe('lifecycle: a replaced worker that still answers requests', () => {
  const { killTimeout, answerTimeout } = settings;

  /** One worker, which a reload has replaced at time 0. */
  function replaced(): { world: World; old: Process } {
    const world = new World(1);
    world.start();
    const old = world.processes[0]!;
    world.ready(old);
    while (world.passTime());
    world.now = 0;
    world.order('reload', { type: 'reload' });
    world.ready(world.processes[1]!);
    expect(old.told).to.equal(true);
    return { world, old };
  }

  function report(world: World, { slot, incarnation }: Process, answering: boolean): void {
    world.send({ type: 'answering', ref: { slot, incarnation }, answering });
  }

  /** The time at which it is killed. */
  function killedAt(world: World, old: Process): number {
    while (!old.killed && world.passTime());
    expect(old.killed).to.equal(true);
    return world.now;
  }

  it('is killed at its kill_timeout where it has reported nothing', () => {
    const { world, old } = replaced();
    expect(killedAt(world, old)).to.equal(killTimeout);
  });

  it('has the longer time from the moment at which it was told to stop', () => {
    const { world, old } = replaced();
    world.now = 1_000;
    report(world, old, true);
    report(world, old, true);
    expect(killedAt(world, old)).to.equal(answerTimeout);
  });

  it('has the usual time for its clean-up once it has answered', () => {
    const { world, old } = replaced();
    world.now = 1_000;
    report(world, old, true);
    world.now = 5_000;
    report(world, old, false);
    expect(killedAt(world, old)).to.equal(5_000 + killTimeout);
  });

  it('never gets more by having answered', () => {
    const { world, old } = replaced();
    report(world, old, true);
    world.now = answerTimeout - 10;
    report(world, old, false);
    expect(killedAt(world, old)).to.equal(answerTimeout);
  });

  it('has the usual time again when the whole cluster is stopped, and no report changes that', () => {
    const { world, old } = replaced();
    report(world, old, true);
    world.now = 3_000;
    world.order('stop', { type: 'stop', now: false });
    report(world, old, true);
    expect(killedAt(world, old)).to.equal(3_000 + killTimeout);
  });

  it('has the longer time also where another primary has taken over, until the site itself is stopped', () => {
    const world = new World(1);
    world.start();
    const [old] = world.processes as [Process];
    world.ready(old);
    while (world.passTime());
    world.now = 0;
    world.order('stop', { type: 'stop', now: false, patient: true });
    expect(world.graces.map((grace) => grace.answerTimeout)).to.deep.equal([answerTimeout]);
    report(world, old, true);
    world.now = 5_000;
    world.send({ type: 'tick' });
    expect(old.killed).to.equal(false);
    world.order('stop', { type: 'stop', now: false });
    world.send({ type: 'stop', now: false, patient: true }); // too late to be patient
    report(world, old, true);
    expect(killedAt(world, old)).to.equal(5_000 + killTimeout);
  });

  it('has all of the longer time where another primary has taken over and nobody stops the site', () => {
    const { world, old } = replaced();
    report(world, old, true);
    world.now = 1_000;
    world.order('stop', { type: 'stop', now: false, patient: true });
    expect(killedAt(world, old)).to.equal(answerTimeout);
  });

  it('is left alone before it is told to stop', () => {
    const world = new World(1);
    world.start();
    world.ready(world.processes[0]!);
    report(world, world.processes[0]!, true);
    while (world.passTime());
    expect(world.processes[0]!.killed).to.equal(false);
  });
});
