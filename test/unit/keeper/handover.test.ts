import { expect } from 'chai';
import fc from 'fast-check';
import { newSite, ownerOf, step, type Effect, type Event, type Word } from '#quiesce/keeper/handover.js';
import { broken, build, check, deaths, settle, steps, World, yielding } from './handover-world.ts';

describe('a handover', () => {
  it('brings one owner after another, and ends with the former ones gone', () => {
    const world = new World();
    world.perform('due', 0);
    settle(world);
    for (const next of ['7', '8', '9'].map(build)) {
      world.send({ type: 'said', id: ownerOf(world.site)!.id, word: { type: 'replace', build: next } });
      settle(world);
      expect(world.site.primaries.map((each) => each.build)).to.deep.equal([next]);
      expect(world.site.build).to.equal(next);
    }
  });

  it('to a build that does not boot changes nothing, and a death afterwards brings back what worked', () => {
    const world = new World();
    world.perform('due', 0);
    settle(world);
    const owner = ownerOf(world.site)!;
    world.send({ type: 'said', id: owner.id, word: { type: 'replace', build: broken } });
    settle(world);
    expect(world.site.primaries).to.deep.equal([owner]);
    world.die(owner.id);
    settle(world);
    expect(world.site.primaries.map((each) => each.build.main)).to.deep.equal(['1']);
  });

  it('whose successor dies in the middle is done by the next start, which knows whose handlers may still be at work', () => {
    let site = newSite(build('1'));
    const send = (event: Event): readonly Effect[] => {
      const { site: next, effects } = step(site, event);
      site = next;
      return effects;
    };
    const say = (id: number, word: Word): readonly Effect[] => send({ type: 'said', id, word });
    send({ type: 'due' });
    say(1, { type: 'serving' });
    say(1, { type: 'replace', build: build('2') });
    say(2, { type: 'prepared' });
    expect(say(1, { type: 'yielded' })).to.deep.equal([{ type: 'tell', id: 2, order: { type: 'take', former: [1] } }]);
    expect(send({ type: 'gone', id: 2 })).to.deep.equal([{ type: 'wait' }]);
    expect(send({ type: 'due' }), 'of the build that worked').to.deep.equal([
      { type: 'start', id: 3, build: build('1'), alone: true, former: [1] },
    ]);
    expect(say(3, { type: 'serving' })).to.deep.equal([{ type: 'tell', id: 1, order: { type: 'leave' } }]);
    expect(send({ type: 'gone', id: 1 })).to.deep.equal([
      { type: 'tell', id: 3, order: { type: 'former-gone', former: 1 } },
    ]);
  });

  it('never has two owners, loses a hold, tells of rest that is none, or leaves the site down, whoever dies when', () => {
    const often = [
      'advance',
      'advance',
      'advance',
      'replace',
      'request',
      'hold',
      'pause',
      'pause',
      'end-run',
      'die',
    ] as const;
    const walk = fc.array(fc.tuple(fc.constantFrom(...steps, ...often, ...deaths), fc.nat(9)), {
      minLength: 50,
      maxLength: 200,
    });
    fc.assert(
      fc.property(walk, (happenings) => {
        yielding.clear();
        const world = new World();
        world.perform('due', 0);
        for (const [what, which] of happenings) {
          world.perform(what, which);
          check(world);
        }
        settle(world);
        check(world);
        const { primaries } = world.site;
        expect(
          primaries.map(({ stage }) => stage),
          JSON.stringify([...world.alive.values()]),
        ).to.deep.equal(['serving']);
        const owner = world.alive.get(primaries[0]!.id)!;
        expect(owner).to.include({ owns: true, serves: true, hold: world.acknowledged });
        expect([...owner.former], 'whom its pauses wait for').to.deep.equal([]);
      }),
      { numRuns: 500 },
    );
  });
});
