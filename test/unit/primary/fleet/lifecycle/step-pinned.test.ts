import { expect } from 'chai';
import { settings, World, type Process } from './fleet-world.ts';

describe('lifecycle: a pinned worker', () => {
  it('does not kill a worker whose exclusive run began after it was told to stop, until that has ended', () => {
    const world = new World(1);
    const process = (incarnation: number): Process => world.processes.find((each) => each.incarnation === incarnation)!;
    world.start();
    world.ready(process(1));
    world.order('reload', { type: 'reload' });
    world.ready(process(2));
    expect(process(1).told).to.equal(true);
    world.pin(process(1), true);
    expect(world.passTime()).to.equal(false);
    world.now += 10 * settings.killTimeout;
    world.send({ type: 'tick' });
    expect(process(1).killed).to.equal(false);
    world.pin(process(1), false);
    expect(process(1).killed).to.equal(false);
    expect(world.passTime()).to.equal(true);
    expect(process(1).killed).to.equal(true);
  });
});
