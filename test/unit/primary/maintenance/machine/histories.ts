/** Random histories of a cluster, and how one is played. */
import fc from 'fast-check';
import { ClusterModel } from './cluster-model.ts';
import type { Faults } from './model-parts.ts';
import { settle } from './settle.ts';

/** What one step of a history does, by small numbers that are taken modulo what there is. */
export type Action = readonly [kind: string, a: number, flag: boolean];

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
  ['schedule', 1],
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

/** Of a site of several hosts, beside all that. */
const kindsOfOthers = [
  ['hear', 10],
  ['others-pause', 2],
  ['others-hold', 1],
  ['count-out', 1],
] as const;

const action = (of: readonly (readonly [string, number])[]): fc.Arbitrary<Action> =>
  fc.tuple(
    fc.oneof(...of.map(([kind, weight]) => ({ weight, arbitrary: fc.constant(kind) }))),
    fc.nat({ max: 30 }),
    fc.boolean(),
  );
const historyOf = (of: readonly (readonly [string, number])[]): fc.Arbitrary<History> =>
  fc.record({
    force: fc.boolean(),
    workers: fc.integer({ min: 1, max: 3 }),
    /** How many runs an earlier primary left; they may become known in two parts. */
    left: fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 2 }) },
    ),
    actions: fc.array(action(of), { minLength: 5, maxLength: 120, size: 'max' }),
  });
export const history: fc.Arbitrary<History> = historyOf(kinds);
export const historyWithOthers: fc.Arbitrary<History> = historyOf([...kinds, ...kindsOfOthers]);

/** A feed on its way into its pause: what comes by chance seldom comes so far. */
export const toThePause: readonly Action[] = [
  'deliver deliver deliver claim-sync deliver hear hear deliver submit deliver prepared hear hear',
  'deliver deliver deliver deliver deliver deliver hear hear',
].flatMap((words) => words.split(' ').map((kind): Action => [kind, 1, true]));

export interface History {
  readonly force: boolean;
  readonly workers: number;
  readonly left: readonly number[];
  readonly actions: readonly Action[];
}

export function play(
  { force, workers, left, actions }: History,
  faults: Faults = {},
  asksOthers = false,
): ClusterModel {
  const rules = {
    drainTimeout: 100,
    onDrainTimeout: force ? 'force' : 'abort',
    runTimeout: 1000,
    uploadTimeout: 500,
    asksOthers,
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
      return model.callers.unhold();
    case 'schedule':
      return model.callers.schedule(a, flag ? null : a % 3 === 0 ? 1 : 1e6);
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
    case 'hear':
      return model.others.hear();
    case 'others-pause':
      return model.others.pause();
    case 'others-hold':
      return model.others.hold();
    case 'count-out':
      return model.others.countOut();
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
