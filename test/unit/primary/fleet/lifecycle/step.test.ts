import { expect } from 'chai';
import { bootTries } from '#quiesce/primary/fleet/lifecycle/state.js';
import { step } from '#quiesce/primary/fleet/lifecycle/step.js';
import { calm, settings, World } from './fleet-world.js';
import { names, process, serving } from './serving-world.js';

describe('lifecycle: start', () => {
  it('is done when every worker is ready', () => {
    const world = new World(2);
    world.start();
    expect(names(world)).to.deep.equal(['0.1', '1.1']);
    world.ready(process(world, 1, 1));
    expect(world.settled).to.deep.equal([]);
    world.ready(process(world, 0, 1));
    expect(world.settled).to.deep.equal([{ task: 'start', error: null }]);
  });

  it('halts when no worker can boot, after a few tries, and leaves no process', () => {
    const world = new World(1);
    world.start();
    for (let boot = 1; boot < bootTries; boot++) {
      world.exit(process(world, 0, boot));
      expect(world.passTime()).to.equal(true);
    }
    world.exit(process(world, 0, bootTries));
    expect(world.settled).to.deep.include({ task: 'start', error: 'boot-failed' });
    expect([world.fleet.phase, names(world)]).to.deep.equal(['stopped', []]);
  });

  it('tries every slot before it halts, and no slot more often than needed', () => {
    const world = new World(4);
    world.start();
    for (const each of [...world.processes].slice(0, 3)) world.exit(each);
    expect(world.settled).to.deep.equal([]);
    world.exit(process(world, 3, 1));
    expect(world.fleet.phase).to.equal('stopped');
  });

  it('goes on with the workers that boot where one cannot', () => {
    const world = new World(2);
    world.start();
    world.ready(process(world, 0, 1));
    for (let boot = 1; boot <= bootTries; boot++) {
      world.exit(process(world, 1, boot));
      world.passTime();
    }
    expect(world.settled).to.deep.equal([{ task: 'start', error: null }]);
    expect(names(world)).to.deep.equal(['0.1', `1.${bootTries + 1}`]);
  });

  it('kills a worker that is not ready in time, and takes that for a boot failure', () => {
    const world = new World(1);
    world.start();
    world.now = settings.bootLimit;
    world.send({ type: 'tick' });
    expect(process(world, 0, 1).killed).to.equal(true);
    world.exit(process(world, 0, 1), null, 'SIGKILL');
    expect(world.ends).to.deep.equal([{ ref: { slot: 0, incarnation: 1 }, cause: 'boot-failure' }]);
  });

  it('ends a start at the first worker that finds its port in use', () => {
    const world = new World(3);
    world.start();
    const [first] = world.processes.splice(0, 1);
    const ref = { slot: first!.slot, incarnation: first!.incarnation };
    world.send({ type: 'gone', ref, exit: { code: 1, signal: null, reason: 'listen EADDRINUSE' }, portInUse: true });
    expect(world.fleet.phase).to.equal('halting');
    while (world.processes.length > 0) world.exit(world.processes[0]!);
    expect(world.settled).to.deep.include({ task: 'start', error: 'port-in-use' });
    expect(world.fleet.slots.flatMap(({ incarnations }) => incarnations)).to.deep.equal([]);
  });
});

describe('lifecycle: restart', () => {
  it('forks into the slot of a worker that crashed, at once', () => {
    const world = serving(2);
    world.now += 5_000;
    world.exit(process(world, 1, 1), null, 'SIGKILL');
    expect(names(world)).to.deep.equal(['0.1', '1.2']);
    expect(world.ends.at(-1)).to.deep.equal({ ref: { slot: 1, incarnation: 1 }, cause: 'crash' });
  });

  it('tells in whole milliseconds how soon a worker ended, which makes a reload fail', () => {
    const said: string[] = [];
    const world = serving(2, (...given) => {
      const done = step(...given);
      for (const effect of done.effects) if (effect.type === 'settle' && effect.error) said.push(effect.error.message);
      return done;
    });
    world.now += 5_000;
    world.order('reload', { type: 'reload' });
    world.now += 0.30000000000000004;
    world.ready(process(world, 0, 2));
    world.now += 99.7;
    world.exit(process(world, 0, 2));
    expect(said).to.deep.equal(['Worker 0.2 ended 100 ms after it was ready: it ended with code 1']);
  });

  it('never gives up a cluster that has served: it backs off and tries on', () => {
    const world = serving(1);
    world.exit(process(world, 0, 1));
    const waits: number[] = [];
    for (let boot = 2; boot < 40; boot++) {
      const since = world.now;
      expect(world.passTime()).to.equal(true);
      waits.push(world.now - since);
      world.exit(process(world, 0, boot));
    }
    expect(world.fleet.phase).to.equal('running');
    expect(waits.at(-1)).to.equal(13_125); // the longest delay, spread
    calm(world);
  });

  it('replaces a worker over its memory limit: the new one first', () => {
    const world = serving(1);
    world.send({ type: 'retire', ref: { slot: 0, incarnation: 1 }, cause: 'memory', why: '' });
    expect([names(world), process(world, 0, 1).told]).to.deep.equal([['0.1', '0.2'], false]);
    world.ready(process(world, 0, 2));
    expect(process(world, 0, 1).told).to.equal(true);
    world.exit(process(world, 0, 1), 0);
    expect(world.ends).to.deep.equal([{ ref: { slot: 0, incarnation: 1 }, cause: 'memory' }]);
    expect(world.fleet.slots[0]).to.include({ restarts: 1 });
  });

  it('lets a worker over its memory limit serve on while its replacement cannot boot', () => {
    const world = serving(1);
    world.send({ type: 'retire', ref: { slot: 0, incarnation: 1 }, cause: 'memory', why: '' });
    world.exit(process(world, 0, 2));
    expect([names(world), process(world, 0, 1).told]).to.deep.equal([['0.1'], false]);
    calm(world);
    expect(names(world)).to.deep.equal(['0.3']);
  });

  it('kills a worker that does not finish in time', () => {
    const world = serving(1);
    world.order('stop', { type: 'stop', now: false });
    world.now += settings.killTimeout - 1;
    world.send({ type: 'tick' });
    expect(process(world, 0, 1).killed).to.equal(false);
    world.passTime();
    expect([process(world, 0, 1).killed, world.now]).to.deep.equal([true, settings.killTimeout]);
  });
});

describe('lifecycle: scale', () => {
  it('adds slots, and is done when they serve', () => {
    const world = serving(1);
    world.order('scale', { type: 'scale', target: 3 });
    world.ready(process(world, 1, 1));
    expect(world.settled).to.deep.equal([]);
    world.ready(process(world, 2, 1));
    expect(world.settled).to.deep.equal([{ task: 'scale', error: null }]);
  });

  it('takes the highest slots away, and is done when they are gone', () => {
    const world = serving(3);
    world.order('scale', { type: 'scale', target: 1 });
    expect(world.processes.filter((each) => each.told).map((each) => each.slot)).to.deep.equal([1, 2]);
    calm(world);
    expect([names(world), world.settled]).to.deep.equal([['0.1'], [{ task: 'scale', error: null }]]);
  });

  it('is taken back where a new worker cannot boot', () => {
    const world = serving(2);
    world.order('scale', { type: 'scale', target: 4 });
    world.exit(process(world, 2, 1));
    expect(world.settled).to.deep.equal([{ task: 'scale', error: 'boot-failed' }]);
    calm(world);
    expect(names(world)).to.deep.equal(['0.1', '1.1']);
  });

  it('uses a slot again while its last worker still finishes, under a new incarnation', () => {
    const world = serving(2);
    world.order('scale', { type: 'scale', target: 1 });
    world.order('scale', { type: 'scale', target: 2 });
    expect(names(world)).to.deep.equal(['0.1', '1.1', '1.2']);
    calm(world);
    world.order('scale', { type: 'scale', target: 1 });
    calm(world);
    world.order('scale', { type: 'scale', target: 2 });
    expect(names(world)).to.deep.equal(['0.1', '1.3']);
  });

  it('the last order wins', () => {
    const world = serving(1);
    world.order('scale', { type: 'scale', target: 4 });
    world.order('scale', { type: 'scale', target: 2 });
    calm(world);
    expect([world.processes.length, world.settled]).to.deep.equal([2, [{ task: 'scale', error: null }]]);
  });
});

describe('lifecycle: stop', () => {
  it('kills at once when told so, also on top of a slow stop', () => {
    const world = serving(2);
    world.order('stop', { type: 'stop', now: false });
    world.order('stop', { type: 'stop', now: true });
    expect(world.processes.every((each) => each.killed)).to.equal(true);
    calm(world);
    expect(world.settled).to.deep.equal([{ task: 'stop', error: null }]);
  });

  it('wins over an exclusive run', () => {
    const world = serving(1);
    world.pin(process(world, 0, 1), true);
    world.order('stop', { type: 'stop', now: false });
    expect(process(world, 0, 1).told).to.equal(true);
  });

  it('refuses the start that it interrupts', () => {
    const world = new World(2);
    world.start();
    world.order('stop', { type: 'stop', now: false });
    calm(world);
    expect(world.settled).to.deep.equal([
      { task: 'start', error: 'stopping' },
      { task: 'stop', error: null },
    ]);
  });
});
