import { expect } from 'chai';
import { calm } from './fleet-world.js';
import { names, process, serving } from './serving-world.js';

describe('lifecycle: reload', () => {
  it('boots one replacement at a time, and stops the old one when the new one serves', () => {
    const world = serving(2);
    world.order('reload', { type: 'reload' });
    expect(names(world)).to.deep.equal(['0.1', '1.1', '0.2']);
    world.ready(process(world, 0, 2));
    expect(process(world, 0, 1).told).to.equal(true);
    expect(names(world), 'with two workers, one may be finishing at a time').to.deep.equal(['0.1', '1.1', '0.2']);
    world.exit(process(world, 0, 1), 0);
    expect(names(world)).to.deep.equal(['1.1', '0.2', '1.2']);
    calm(world);
    expect(world.settled).to.deep.equal([{ task: 'reload', error: null }]);
  });

  it('ends where a replacement cannot boot; the old ones serve on', () => {
    const world = serving(2);
    world.order('reload', { type: 'reload' });
    world.exit(process(world, 0, 2));
    expect(world.settled).to.deep.equal([{ task: 'reload', error: 'boot-failed' }]);
    world.now += 60_000;
    world.send({ type: 'tick' });
    expect([names(world), process(world, 0, 1).told]).to.deep.equal([['0.1', '1.1'], false]);
  });

  it('ends where a replacement dies right after it said that it was ready', () => {
    const world = serving(4);
    world.order('reload', { type: 'reload' });
    world.ready(process(world, 0, 2));
    world.exit(process(world, 0, 2));
    expect(world.settled).to.deep.equal([{ task: 'reload', error: 'boot-failed' }]);
    expect(world.processes.filter((each) => each.ready && !each.told)).to.have.length(3);
  });

  it('takes back only what a failed one has replaced', () => {
    const world = serving(3);
    world.order('reload', { type: 'reload' });
    world.ready(process(world, 0, 2));
    world.exit(process(world, 0, 1), 0);
    world.exit(process(world, 1, 2));
    expect([world.settled, names(world)]).to.deep.equal([
      [{ task: 'reload', error: 'boot-failed' }],
      ['1.1', '2.1', '0.2'],
    ]);
    world.order('reload', { type: 'reload', from: world.fleet.generation });
    expect(names(world)).to.deep.equal(['1.1', '2.1', '0.2', '0.3']);
    calm(world);
    expect([names(world), world.settled.at(-1)]).to.deep.equal([
      ['1.1', '2.1', '0.3'],
      { task: 'reload', error: null },
    ]);
  });

  it('makes one more pass for all orders that come while it runs', () => {
    const world = serving(2);
    world.order('reload', { type: 'reload' });
    world.order('reload', { type: 'reload' });
    world.order('reload', { type: 'reload' });
    calm(world);
    expect(world.settled).to.deep.equal([{ task: 'reload', error: null }]);
    expect(names(world).toSorted(), 'the replacement that was on its way, then one more').to.deep.equal(['0.3', '1.2']);
  });

  it('tries a slot that waits after failures again at once', () => {
    const world = serving(2);
    world.exit(process(world, 1, 1));
    expect(names(world)).to.deep.equal(['0.1']);
    world.order('reload', { type: 'reload' });
    expect(names(world)).to.deep.equal(['0.1', '0.2', '1.2']);
  });

  it('waits for the exclusive run of a worker before it stops it', () => {
    const world = serving(1);
    world.pin(process(world, 0, 1), true);
    world.order('reload', { type: 'reload' });
    world.ready(process(world, 0, 2));
    expect([process(world, 0, 1).told, world.settled]).to.deep.equal([false, []]);
    world.pin(process(world, 0, 1), false);
    expect(process(world, 0, 1).told).to.equal(true);
  });

  it('is refused by a stop', () => {
    const world = serving(2);
    world.order('reload', { type: 'reload' });
    world.order('stop', { type: 'stop', now: false });
    expect(world.settled).to.deep.equal([{ task: 'reload', error: 'stopping' }]);
    calm(world);
    expect(world.settled.at(-1)).to.deep.equal({ task: 'stop', error: null });
  });
});
