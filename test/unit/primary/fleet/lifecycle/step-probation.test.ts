import { expect } from 'chai';
import { calm, World, type Process } from './fleet-world.js';

/** A worker that serves. */
function serving(): World {
  const world = new World(1, undefined, { probation: 1_000 });
  world.start();
  for (const each of world.processes) world.ready(each);
  world.settled.length = 0;
  return world;
}

function process(world: World, slot: number, incarnation: number): Process {
  return world.processes.find((each) => each.slot === slot && each.incarnation === incarnation)!;
}

function names(world: World): string[] {
  return world.processes.map((each) => `${each.slot}.${each.incarnation}`);
}

describe('lifecycle: a worker that has just become ready', () => {
  it('a scale is taken back where a new worker dies right after it said that it was ready', () => {
    const world = serving();
    world.order('scale', { type: 'scale', target: 2 });
    world.ready(process(world, 1, 1));
    expect(world.settled).to.deep.equal([]);
    world.now += 100;
    world.exit(process(world, 1, 1));
    expect(world.settled).to.deep.equal([{ task: 'scale', error: 'boot-failed' }]);
    calm(world);
    expect(names(world)).to.deep.equal(['0.1']);
  });

  it('a scale is done when the new workers have served for a moment', () => {
    const world = serving();
    world.order('scale', { type: 'scale', target: 2 });
    world.ready(process(world, 1, 1));
    const since = world.now;
    expect(world.passTime()).to.equal(true);
    expect(world.now - since).to.equal(1_000);
    expect(world.settled).to.deep.equal([{ task: 'scale', error: null }]);
  });

  it('a reload of one worker ends well only when its replacement has served for a moment', () => {
    const world = serving();
    world.order('reload', { type: 'reload' });
    world.ready(process(world, 0, 2));
    world.exit(process(world, 0, 1), 0);
    world.now += 100;
    world.exit(process(world, 0, 2));
    expect(world.settled).to.deep.equal([{ task: 'reload', error: 'boot-failed' }]);
  });
});
