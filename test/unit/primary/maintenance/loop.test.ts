import { expect } from 'chai';
import { MaintenanceLoop } from '#quiesce/primary/maintenance/loop.js';
import { initialState } from '#quiesce/primary/maintenance/machine/initial-state.js';
import type { Effect, Rules, Time } from '#quiesce/primary/maintenance/machine/state.js';

describe('the loop around the maintenance state', () => {
  const rules: Rules = { drainTimeout: 60, onDrainTimeout: 'abort', runTimeout: 60_000, uploadTimeout: 60_000 };
  const worker = { slot: 0, incarnation: 1 };
  const hour = 3_600_000;
  const loops: MaintenanceLoop[] = [];
  afterEach(() => {
    for (const each of loops.splice(0)) each.close();
  });

  /** A machine whose wall clock somebody sets, `set` ms ahead of where it was. */
  function setUp(run: (effect: Effect) => void = () => {}) {
    const clock = { set: 0 };
    const errors: unknown[] = [];
    const now = (): Time => ({ wall: Date.now() + clock.set, monotonic: performance.now() });
    const loop = new MaintenanceLoop(initialState(0, null), rules, {
      run,
      onError: (error, { type }) => errors.push([type, (error as Error).message]),
      now,
    });
    loops.push(loop);
    return { loop, clock, errors, now };
  }

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  function drain(loop: MaintenanceLoop): void {
    loop.dispatch({ type: 'forked', worker });
    loop.dispatch({ type: 'hello', worker });
    loop.dispatch({ type: 'claim', run: 'r', kind: 'exclusive', owner: worker });
  }

  for (const [how, by] of [
    ['back', -hour],
    ['forward', hour],
  ] as const) {
    it(`ends a drain in its time though the clock is set ${how} by an hour`, async () => {
      const ended: number[] = [];
      const { loop, clock } = setUp((effect) => {
        if (effect.type === 'ended') ended.push(performance.now());
      });
      const began = performance.now();
      drain(loop);
      clock.set = by;
      await until(() => ended.length > 0);
      expect(ended[0]! - began).to.be.within(rules.drainTimeout, 20_000);
    });
  }

  it('ends an operator hold at the time of day it was given, though the clock is set meanwhile', async () => {
    const { loop, clock, now } = setUp();
    loop.dispatch({ type: 'hold', reason: 'night', lasts: hour, by: null, waiter: null });
    const { until: end } = loop.state.operator!;
    expect(end).to.be.closeTo(now().wall + hour, 1_000);
    clock.set = hour;
    await until(() => loop.state.operator === null);
    expect(loop.state.phase).to.equal('serving');
  });

  it('begins a scheduled hold when a clock shows its time, also where that was set forward over its beginning', async () => {
    const { loop, clock, now } = setUp();
    const at = now().wall + hour;
    loop.dispatch({ type: 'schedule', hold: { at, lasts: 2 * hour, reason: 'night', by: 'ops' } });
    expect([loop.state.phase, loop.state.scheduled?.at]).to.deep.equal(['serving', at]);
    clock.set = hour + 1_000;
    await until(() => loop.state.operator !== null);
    expect(loop.state.operator).to.include({ reason: 'night', until: at + 2 * hour, by: 'ops' });
    expect(loop.state.scheduled).to.equal(null);
  });

  it('drops a scheduled hold where the clock was set over all of it, and says so', async () => {
    const told: unknown[] = [];
    const { loop, clock, now } = setUp((effect) => {
      if (effect.type === 'announce') told.push(effect.what);
    });
    const at = now().wall + hour;
    loop.dispatch({ type: 'schedule', hold: { at, lasts: 1_000, reason: null, by: null } });
    clock.set = 2 * hour;
    await until(() => loop.state.scheduled === null);
    expect([loop.state.operator, told]).to.deep.equal([null, ['missed']]);
  });

  it('says that a scheduled hold has not come to rest in the drain timeout, and keeps it', async () => {
    const told: unknown[] = [];
    const { loop, now } = setUp((effect) => {
      if (effect.type === 'announce') told.push(effect.what);
    });
    loop.dispatch({ type: 'forked', worker });
    loop.dispatch({ type: 'hello', worker });
    loop.dispatch({ type: 'schedule', hold: { at: now().wall + 5, lasts: null, reason: null, by: null } });
    await until(() => told.length === 2);
    expect([told, loop.state.phase]).to.deep.equal([['begun', 'overdue'], 'draining']);
    expect(loop.state.operator).to.not.equal(null);
  });

  it('carries out the other effects of a step where one throws, and tells of it', () => {
    const done: string[] = [];
    const { loop, errors } = setUp((effect) => {
      if (effect.type === 'moved') throw new Error('nobody listens');
      done.push(effect.type);
    });
    loop.dispatch({ type: 'forked', worker });
    loop.dispatch({ type: 'hello', worker });
    done.length = 0;
    loop.dispatch({ type: 'hold', reason: 'test', lasts: null, by: null, waiter: null });
    expect(done).to.deep.equal(['persist', 'pause']);
    expect(errors).to.deep.equal([['moved', 'nobody listens']]);
  });

  it('takes the events that an effect has caused though the effect throws after that', () => {
    const { loop } = setUp((effect) => {
      if (effect.type !== 'moved' || effect.to !== 'draining') return;
      loop.dispatch({ type: 'unhold' });
      throw new Error('nobody listens');
    });
    loop.dispatch({ type: 'hold', reason: 'test', lasts: null, by: null, waiter: null });
    expect(loop.state.operator).to.equal(null);
  });
});
