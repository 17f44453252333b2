import { expect } from 'chai';
import fc from 'fast-check';
import { ClusterModel } from './cluster-model.ts';
import type { Faults } from './model-parts.ts';
import { mutants } from './mutants.ts';
import { settle } from './settle.ts';

/** What one step of a history does, by small numbers that are taken modulo what there is. */
type Action = readonly [kind: string, a: number, flag: boolean];

const kinds = [
  ['fork', 2],
  ['kill', 1],
  ['request', 4],
  ['finish', 3],
  ['stopped', 2],
  ['listened', 2],
  ['claim-sync', 2],
  ['claim-exclusive', 2],
  ['exec', 2],
  ['exec-end', 2],
  ['submit', 2],
  ['prepared', 2],
  ['written', 2],
  ['release', 2],
  ['hold', 1],
  ['unhold', 1],
  ['give-up', 1],
  ['toggle', 1],
  ['stop', 1],
  ['cancel', 1],
  ['deliver', 12],
  ['repeat', 1],
  ['lose', 1],
  ['beat', 1],
  ['fire', 1],
  ['reap', 1],
] as const;

const action: fc.Arbitrary<Action> = fc.tuple(
  fc.oneof(...kinds.map(([kind, weight]) => ({ weight, arbitrary: fc.constant(kind as string) }))),
  fc.nat({ max: 30 }),
  fc.boolean(),
);
const history = fc.record({
  force: fc.boolean(),
  workers: fc.integer({ min: 1, max: 3 }),
  /** How many runs an earlier primary left; they may become known in two parts. */
  left: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 2 }) },
  ),
  actions: fc.array(action, { minLength: 5, maxLength: 120, size: 'max' }),
});

interface History {
  readonly force: boolean;
  readonly workers: number;
  readonly left: readonly number[];
  readonly actions: readonly Action[];
}

function play({ force, workers, left, actions }: History, faults: Faults = {}): ClusterModel {
  const rules = {
    drainTimeout: 100,
    onDrainTimeout: force ? 'force' : 'abort',
    runTimeout: 1000,
    uploadTimeout: 500,
  } as const;
  const model = new ClusterModel(rules, faults);
  for (const count of left) model.recover(count);
  for (let slot = 0; slot < workers; slot++) model.fork(slot);
  for (const [kind, a, flag] of actions) act(model, kind, a, flag);
  settle(model);
  return model;
}

function act(model: ClusterModel, kind: string, a: number, flag: boolean): void {
  const { alive } = model;
  const worker = alive[a % Math.max(1, alive.length)];
  switch (kind) {
    case 'fork':
      return model.fork(a % 3);
    case 'hold':
      return model.callers.hold(flag ? 1e6 + a : null, a % 2 === 0);
    case 'give-up':
      return model.callers.giveUp(a % 4);
    case 'unhold':
      return model.dispatch({ type: 'unhold' });
    case 'stop':
      // A stop ends what can happen, so it is rare.
      return a === 0 ? model.dispatch({ type: 'stop' }) : undefined;
    case 'cancel':
      return model.dispatch({ type: 'cancel', run: model.state.run?.id ?? 'none' });
    case 'toggle':
      return model.dispatch({ type: 'toggle', reason: 'SIGUSR2' });
    case 'prepared':
      return model.prepared(flag || a % 3 > 0);
    case 'exec':
      return model.commands.ask(flag, a % 2 === 0 ? null : a);
    case 'exec-end':
      return model.commands.end(flag);
    case 'written':
      return model.written(flag);
    case 'deliver':
      // Mostly in order, as IPC does it; now and then not.
      return model.deliver(flag ? 0 : a % Math.max(1, model.network.length));
    case 'repeat':
      return model.repeat(a % Math.max(1, model.network.length));
    case 'reap':
      return model.reap();
    case 'lose':
      return model.lose(a % Math.max(1, model.network.length));
    case 'fire':
      return model.fire(a % Math.max(1, model.timers.length));
    default:
      if (worker === undefined) return;
  }
  switch (kind) {
    case 'kill':
      return model.kill(worker);
    case 'request':
      return model.request(worker);
    case 'finish':
      return model.finish(worker);
    case 'stopped':
      return model.stopped(worker);
    case 'listened':
      return model.listened(worker);
    case 'claim-sync':
      return model.claim(worker, 'sync');
    case 'claim-exclusive':
      return model.claim(worker, 'exclusive');
    case 'submit':
      return model.submit(worker);
    case 'release':
      return model.release(worker);
    case 'beat':
      return model.beat(worker);
    default:
      return;
  }
}

const numRuns = Number(process.env['QUIESCE_PROPERTY_RUNS'] ?? 2_000);

describe('the maintenance state, under random histories', function () {
  this.timeout(120_000);

  it('keeps S1 to S5 and M2 in every state and L1 to L3 at the end', () => {
    fc.assert(
      fc.property(history, (given) => void play(given)),
      { numRuns },
    );
  });

  it('reaches what the promises are about', () => {
    // A property that holds because nothing ever happens would prove nothing.
    const seen = { quiesced: 0, runs: 0, refused: 0, failed: 0 };
    fc.assert(
      fc.property(history, (given) => {
        const model = play(given);
        if (model.state.epoch > 0) seen.quiesced++;
        for (const claim of model.claims.values()) {
          if (claim.granted && claim.ends === 1) seen.runs++;
          else if (claim.ends === 1) seen.failed++;
          else seen.refused++;
        }
      }),
      { numRuns: 500 },
    );
    for (const [what, times] of Object.entries(seen)) expect(times, what).to.be.above(50);
  });

  for (const [name, faults] of Object.entries(mutants)) {
    it(`would catch this mutant: ${name}`, () => {
      const details = fc.check(
        fc.property(history, (given) => void play(given, faults)),
        { numRuns: 20_000, interruptAfterTimeLimit: 30_000 },
      );
      expect(details.failed, 'no history told the mutant from the real thing').to.equal(true);
      expect(String(details.errorInstance), 'a promise must be what it breaks').to.match(/Error: [SLM]\d: /);
    });
  }
});
