import { expect } from 'chai';
import fc from 'fast-check';
import { ownerOf, type Word } from '#quiesce/keeper/handover.js';
import { lookEvery, type Effect, type Event } from '#quiesce/keeper/state.js';
import { nextTick, restartDelay } from '#quiesce/keeper/step.js';
import { begun, build, ended, killed, typesOf, type World } from './keeper-world.ts';

interface Who {
  readonly app: number;
  readonly process: number;
}

describe('a keeper', () => {
  it('starts the next primary at once where one that has served dies, whatever it died of', () => {
    for (const how of [killed, { code: 1, signal: null, meant: false }]) {
      const world = begun();
      expect(world.ready()).to.deep.equal([{ type: 'ready' }]);
      world.gone(how);
      expect(nextTick(world.keeper)).to.equal(world.now);
      expect(world.wait()).to.deep.equal([
        { type: 'start', app: 0, process: 2, build: build('1'), again: true, beside: false, former: [] },
      ]);
      expect(typesOf(world.ready()), 'whoever started it knows that it is ready').to.deep.equal([]);
    }
  });

  it('gives up a primary that says nothing for 30 s, and none before its first word or after its last', () => {
    const world = begun(['shop', 'blog']);
    const [shop, blog] = [0, 1].map((app) => ({ app, process: world.last(app) })) as [Who, Who];
    const looks = (times: number): Effect[] => Array.from({ length: times }, () => world.send({ type: 'look' })).flat();
    expect(looks(20), 'none has said anything yet').to.deep.equal([]);
    world.send({ type: 'heard', ...shop });
    world.send({ type: 'heard', ...blog });
    const checks = 30_000 / lookEvery;
    expect(looks(checks)).to.deep.equal([]);
    world.send({ type: 'heard', ...blog });
    expect(looks(1)).to.deep.equal([
      { type: 'say', text: 'the primary of shop has not responded for 30 s and is killed.' },
      { type: 'signal', ...shop, signal: 'SIGKILL' },
    ]);
    world.gone(killed, shop.app, shop.process);
    world.send({ type: 'heard', ...shop });
    expect(looks(checks - 1), 'who has gone is not missed').to.deep.equal([]);
    expect(looks(1).map((effect) => effect.type === 'signal' && effect.app)).to.deep.equal([false, blog.app]);
  });

  it('ends as its only primary does where that means to end, or never came to serve', () => {
    for (const [how, end] of [
      [ended(0), { code: 0, signal: null }],
      [ended(4), { code: 4, signal: null }],
      [killed, { code: 1, signal: 'SIGKILL' }],
    ] as const)
      expect(begun().gone(how)).to.deep.equal([
        { type: 'close', app: 0 },
        { type: 'end', end },
      ]);
    const served = begun();
    served.ready();
    expect(served.gone(ended(1))).to.deep.include({ type: 'end', end: { code: 1, signal: null } });
  });

  it('starts no app that it hears of after a stop', () => {
    const world = begun();
    world.send({ type: 'signal', signal: 'SIGTERM' });
    expect(world.send({ type: 'apps', names: ['one', 'two'] })).to.deep.equal([]);
    expect(typesOf(world.gone(ended(0)))).to.deep.equal(['close', 'end']);
  });

  it('lets nobody wait for a next primary that says that it cannot start', () => {
    const world = begun();
    world.ready();
    expect(typesOf(world.gone(killed)), 'it may').to.deep.equal(['say']);
    world.wait();
    expect(typesOf(world.gone(ended(2)))).to.deep.equal(['say', 'close']);
  });

  it('goes on where the next primary cannot start either, but not beside another one', () => {
    const world = begun();
    world.ready();
    world.gone(killed);
    for (let tries = 0; tries < 20; tries += 1) {
      world.wait();
      world.gone(ended(7));
      expect(world.keeper.apps[0]!.stage).to.equal('waiting');
    }
    world.wait();
    expect(world.gone(ended(3))).to.deep.include({ type: 'end', end: { code: 3, signal: null } });
  });

  it('waits ever longer, and forgets what is long ago', () => {
    expect([1, 4, 5, 6, 7, 10, 11, 20].map(restartDelay)).to.deep.equal([
      0, 0, 1_000, 2_000, 4_000, 32_000, 60_000, 60_000,
    ]);
    const world = begun();
    for (let deaths = 0; deaths < 10; deaths += 1) {
      world.ready();
      world.now += 60_001;
      world.gone(killed);
      expect(nextTick(world.keeper)).to.equal(world.now);
      world.wait();
    }
  });

  it('passes signals on, and starts nothing after one that stops', () => {
    const world = begun();
    expect(world.send({ type: 'signal', signal: 'SIGUSR2' })).to.deep.equal([
      { type: 'signal', app: 0, process: 1, signal: 'SIGUSR2' },
    ]);
    world.ready();
    expect(world.send({ type: 'signal', signal: 'SIGTERM' })).to.deep.equal([
      { type: 'signal', app: 0, process: 1, signal: 'SIGTERM' },
    ]);
    expect(world.gone(killed)).to.deep.include({ type: 'end', end: { code: 1, signal: 'SIGKILL' } });
    const waiting = begun();
    waiting.ready();
    waiting.gone(killed);
    expect(waiting.send({ type: 'signal', signal: 'SIGINT' })).to.deep.include({
      type: 'end',
      end: { code: 0, signal: null },
    });
  });

  it('takes several apps in the place of the one that the file seemed to have', () => {
    const world = begun();
    const found = { type: 'gone', app: 0, process: 1, how: ended(0) } as const;
    expect(typesOf(world.send({ type: 'apps', names: ['web', 'api'] }))).to.deep.equal(['start', 'start']);
    expect(world.send(found), 'the end of the process that has found them').to.deep.equal([]);
    expect(world.ready(0)).to.deep.equal([]);
    expect(world.ready(1)).to.deep.equal([{ type: 'ready' }]);
    world.gone(ended(1), 1);
    expect(world.keeper.apps.map(({ stage }) => stage)).to.deep.equal(['serving', 'waiting']);
    world.wait();
    world.ready(1);
    world.gone(ended(0), 0);
    expect(typesOf(world.gone(ended(0), 1))).to.deep.equal(['close', 'end']);
  });

  it('stops all of several apps where one does not come to serve, and ends with its code', () => {
    const world = begun(['web', 'api']);
    world.ready(0);
    expect(typesOf(world.gone(ended(4), 1))).to.deep.equal(['close', 'say', 'signal']);
    expect(world.gone(ended(0), 0)).to.deep.include({ type: 'end', end: { code: 4, signal: null } });
  });

  it('keeps its primary where the next one cannot boot, and tells it why', () => {
    const world = begun();
    world.ready();
    expect(world.said({ type: 'replace', build: build('2') })).to.deep.equal([
      { type: 'start', app: 0, process: 2, build: build('2'), again: true, beside: true, former: [] },
    ]);
    const how = { ...ended(4), error: { code: 'boot-failed', message: 'it is broken' } };
    expect(world.gone(how)).to.deep.equal([
      { type: 'tell', app: 0, process: 1, order: { type: 'successor-failed' }, how },
    ]);
    expect(world.keeper.apps[0]!.stage).to.equal('serving');
  });

  it('takes the end of a primary that has handed over for no crash, and a death afterwards brings back the new one', () => {
    const world = begun();
    world.ready();
    world.said({ type: 'replace', build: build('2') });
    expect(world.said({ type: 'prepared' })).to.deep.equal([
      { type: 'tell', app: 0, process: 1, order: { type: 'successor-prepared' } },
    ]);
    expect(world.said({ type: 'yielded' }, 1)).to.deep.equal([
      { type: 'tell', app: 0, process: 2, order: { type: 'take', former: [1] } },
    ]);
    expect(world.keeper.apps[0]!.stage).to.equal('starting');
    expect(world.ready()).to.deep.equal([{ type: 'tell', app: 0, process: 1, order: { type: 'leave' } }]);
    expect(world.gone(ended(0), 0, 1)).to.deep.equal([
      { type: 'tell', app: 0, process: 2, order: { type: 'former-gone', former: 1 } },
    ]);
    world.gone(killed);
    const next = { app: 0, process: 3, build: build('2'), again: true, beside: false, former: [] };
    expect(world.wait()).to.deep.include({ type: 'start', ...next });
  });

  it('leaves the sockets to the next one, and ends only with the last primary, while a former one still finishes', () => {
    const handedOver = (): World => {
      const world = begun();
      world.ready();
      world.said({ type: 'replace', build: build('2') });
      world.said({ type: 'prepared' });
      world.said({ type: 'yielded' }, 1);
      return world;
    };
    const failing = handedOver();
    expect(typesOf(failing.gone(ended(4)))).to.deep.equal(['say']);
    expect(failing.keeper.apps[0]!.stage).to.equal('waiting');
    const stopped = handedOver();
    stopped.ready();
    expect(stopped.gone(ended(0))).to.deep.equal([
      { type: 'signal', app: 0, process: 1, signal: 'SIGTERM' },
      { type: 'close', app: 0 },
    ]);
    expect(stopped.keeper.apps[0]!.stage).to.equal('ending');
    expect(stopped.gone(ended(0), 0, 1)).to.deep.include({ type: 'end', end: { code: 0, signal: null } });
  });

  it('keeps the sockets where a primary dies whose former one still finishes, and ends before the next one is started', () => {
    const world = begun();
    world.ready();
    // So often that the next one has to wait.
    while (nextTick(world.keeper) === null || nextTick(world.keeper) === world.now) {
      if (nextTick(world.keeper) !== null) world.wait();
      if (world.keeper.apps[0]!.stage !== 'serving') world.ready();
      const before = world.last();
      world.said({ type: 'replace', build: build('2') });
      world.said({ type: 'prepared' });
      world.said({ type: 'yielded' }, before);
      world.ready();
      world.gone(killed);
      world.effects.length = 0;
      world.gone(ended(0), 0, before);
    }
    expect(world.keeper.apps[0]!.stage).to.equal('waiting');
    expect(world.effects, 'clients wait for the next one').to.deep.equal([]);

    const refusing = begun();
    refusing.ready();
    refusing.said({ type: 'replace', build: build('2') });
    refusing.said({ type: 'prepared' });
    refusing.said({ type: 'yielded' }, 1);
    refusing.gone(ended(4));
    expect(refusing.gone(ended(0), 0, 1), 'nobody is to wait for one that could not start').to.deep.equal([
      { type: 'close', app: 0 },
    ]);
  });

  it('never has two owners of an app, never leaves one that has served down, and ends once', () => {
    const how = fc.oneof(fc.constant(killed), fc.constant({ ...killed, code: 1, signal: null }), fc.nat(7).map(ended));
    const words: Word[] = [
      { type: 'serving' },
      { type: 'serving' },
      { type: 'replace', build: build('2') },
      { type: 'prepared' },
      { type: 'yielded' },
      { type: 'stay' },
    ];
    const which = { app: fc.nat(1), which: fc.nat(2) };
    const happening = fc.oneof(
      fc.record({ type: fc.constant('said' as const), ...which, word: fc.constantFrom(...words) }),
      fc.record({ type: fc.constant('gone' as const), ...which, how }),
      fc.record({ type: fc.constant('wait' as const), ms: fc.nat(100_000) }),
      fc.record({ type: fc.constant('signal' as const), signal: fc.constantFrom('SIGTERM', 'SIGHUP', 'SIGINT') }),
    );
    const often = { weight: 5, arbitrary: happening };
    const rarely = fc.constant({ type: 'wait' as const, ms: 100_000 });
    const walk = fc.array(fc.oneof(often, rarely), { maxLength: 60 });
    fc.assert(
      fc.property(fc.boolean(), walk, (isSeveral, happenings) => {
        const world = begun(isSeveral ? ['web', 'api'] : undefined);
        for (const each of happenings) {
          let event: Event;
          const { stopping } = world.keeper;
          if (each.type === 'wait') {
            world.now += each.ms;
            event = { type: 'tick' };
          } else if (each.type === 'signal') event = each;
          else {
            const app = each.app % world.keeper.apps.length;
            const { primaries, started } = world.keeper.apps[app]!.site;
            const process = primaries[each.which % Math.max(1, primaries.length)]?.id ?? started;
            event =
              each.type === 'said'
                ? { type: 'said', app, process, word: each.word }
                : { type: 'gone', app, process, how: each.how };
          }
          for (const { type } of world.send(event)) {
            if (type === 'start') expect(stopping, 'started while stopping').to.equal(false);
          }
          for (const { stage, retryAt, site } of world.keeper.apps) {
            const { primaries } = site;
            const owners = primaries.filter((one) => one.stage === 'taking' || one.stage === 'serving');
            expect(owners.length, 'owners').to.be.at.most(1);
            expect(primaries.length === 0).to.equal(
              stage === 'over' || (stage === 'waiting' && primaries.length === 0),
            );
            expect(retryAt !== null).to.equal(stage === 'waiting');
            if (stage === 'serving') expect(ownerOf(site)?.stage).to.equal('serving');
            if (stage === 'starting') expect(primaries.length).to.be.at.least(1);
            if (retryAt !== null) expect(retryAt - world.now).to.be.at.most(60_000);
          }
        }
        const isOver = world.keeper.apps.every(({ stage }) => stage === 'over');
        expect(world.effects.filter(({ type }) => type === 'end')).to.have.lengthOf(isOver ? 1 : 0);
      }),
      { numRuns: 1_000 },
    );
  });
});
