import { expect } from 'chai';
import fc from 'fast-check';
import { step } from '#quiesce/primary/fleet/lifecycle/step.js';
import { calm, Violation, World, type Process, type Step } from './fleet-world.js';

interface Command {
  run(world: World): void;
  toString(): string;
}

function command(name: string, run: (world: World) => void): Command {
  return { run, toString: () => name };
}

/** Picks among the processes there are by number, so that any sequence of commands makes sense. */
function onProcess(
  name: string,
  act: (world: World, process: Process) => void,
  among: (process: Process) => boolean = () => true,
): fc.Arbitrary<Command> {
  return fc.nat(11).map((pick) =>
    command(`${name} #${pick}`, (world) => {
      const processes = world.processes.filter(among);
      const process = processes[pick % Math.max(1, processes.length)];
      if (process) act(world, process);
    }),
  );
}

const alive = (process: Process): boolean => !process.killed;
const commands = fc.oneof(
  {
    weight: 6,
    arbitrary: onProcess(
      'ready',
      (world, each) => world.ready(each),
      (each) => !each.ready && alive(each),
    ),
  },
  {
    weight: 3,
    arbitrary: onProcess(
      'exit as told',
      (world, each) => world.exit(each, 0),
      (each) => each.killed || each.told,
    ),
  },
  { weight: 2, arbitrary: onProcess('crash', (world, each) => world.exit(each, 1)) },
  { weight: 1, arbitrary: onProcess('kill -9', (world, each) => world.exit(each, null, 'SIGKILL')) },
  {
    weight: 1,
    arbitrary: onProcess('lost heartbeat', (world, { slot, incarnation }) =>
      world.send({ type: 'kill', ref: { slot, incarnation }, cause: 'heartbeat', why: 'silent' }),
    ),
  },
  {
    weight: 1,
    arbitrary: onProcess('memory', (world, { slot, incarnation }) =>
      world.send({ type: 'retire', ref: { slot, incarnation }, cause: 'memory', why: '' }),
    ),
  },
  { weight: 1, arbitrary: onProcess('pin', (world, each) => world.pin(each, true), alive) },
  {
    weight: 1,
    arbitrary: onProcess(
      'unpin',
      (world, each) => world.pin(each, false),
      (each) => each.pinned,
    ),
  },
  ...[true, false].map((answering) => ({
    weight: 1,
    arbitrary: onProcess(
      answering ? 'answers still' : 'has answered',
      (world, { slot, incarnation }) => world.send({ type: 'answering', ref: { slot, incarnation }, answering }),
      alive,
    ),
  })),
  { weight: 2, arbitrary: fc.constant(command('reload', (world) => world.order('reload', { type: 'reload' }))) },
  {
    weight: 2,
    arbitrary: fc.nat(2).map((back) =>
      command(`take back ${back}`, (world) => {
        if (world.fleet.reload === null) world.order('reload', { type: 'reload', from: world.fleet.generation - back });
      }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .integer({ min: 1, max: 5 })
      .map((target) => command(`scale ${target}`, (world) => world.order('scale', { type: 'scale', target }))),
  },
  { weight: 3, arbitrary: fc.constant(command('deadline', (world) => void world.passTime())) },
  {
    weight: 2,
    arbitrary: fc.nat(5_000).map((ms) =>
      command(`${ms} ms`, (world) => {
        world.now += ms;
        world.send({ type: 'tick' });
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.nat(5), fc.nat(8)).map(([slot, incarnation]) =>
      command(`late word of ${slot}.${incarnation}`, (world) => {
        if (world.processes.some((each) => each.slot === slot && each.incarnation === incarnation)) return;
        world.send({ type: 'ready', ref: { slot, incarnation } });
        world.send({ type: 'gone', ref: { slot, incarnation }, exit: { code: 0, signal: null } });
        world.send({ type: 'pin', ref: { slot, incarnation }, pinned: true });
      }),
    ),
  },
);
const stop = fc
  .constantFrom(
    ['stop', { now: false }] as const,
    ['stop now', { now: true }] as const,
    ['leave', { now: false, patient: true }] as const,
  )
  .map(([name, how]) => command(name, (world) => world.order('stop', { type: 'stop', ...how })));
const history = fc.tuple(
  fc.integer({ min: 1, max: 4 }),
  fc.array(commands, { maxLength: 60, size: 'max' }),
  fc.option(fc.tuple(stop, fc.array(fc.oneof(commands, stop), { maxLength: 15 })), { freq: 3 }),
);

function holds(stepFunction: Step, numRuns: number, seed?: number): void {
  fc.assert(
    fc.property(history, ([instances, first, end]) => {
      const world = new World(instances, stepFunction);
      world.start();
      for (const each of first) each.run(world);
      if (end) for (const each of [end[0], ...end[1]]) each.run(world);
      calm(world);
    }),
    { numRuns, ...(seed === undefined ? {} : { seed }) },
  );
}

describe('lifecycle under orders, crashes and late words in any order', () => {
  it('keeps its promises and answers every order', () => holds(step, 3_000)).timeout(60_000);

  /** Each is a mistake that the properties above must find. */
  const mutants: Record<string, Step> = {
    'a serving worker is stopped when its replacement is forked': (fleet, event, ...rest) => {
      const result = step(fleet, event, ...rest);
      const early = result.effects.flatMap((effect) => {
        const old =
          effect.type === 'fork' &&
          result.fleet.slots
            .find(({ slot }) => slot === effect.ref.slot)
            ?.incarnations.find((each) => each.stage === 'serving');
        return old
          ? [
              {
                type: 'stop',
                ref: { slot: old.slot, incarnation: old.incarnation },
                grace: { timeout: 1, answerTimeout: 1, webSocketTimeout: 1 },
              } as const,
            ]
          : [];
      });
      return { ...result, effects: [...result.effects, ...early] };
    },
    'an incarnation comes twice after scaling down and up': (fleet, event, ...rest) => {
      const { fleet: next, effects } = step(fleet, event, ...rest);
      const lastIncarnations = next.lastIncarnations.slice(0, next.slots.length);
      return { fleet: { ...next, lastIncarnations }, effects };
    },
    'a second reload joins one that is under way': (fleet, event, ...rest) =>
      event.type === 'reload' && fleet.reload !== null ? { fleet, effects: [] } : step(fleet, event, ...rest),
    'a reload forgets the workers that are starting': (fleet, event, ...rest) => {
      const { fleet: next, effects } = step(fleet, event, ...rest);
      if (event.type !== 'reload') return { fleet: next, effects };
      const slots = next.slots.map((slot) => ({
        ...slot,
        incarnations: slot.incarnations.map((each) =>
          each.stage === 'starting' ? { ...each, generation: next.generation } : each,
        ),
      }));
      return { fleet: { ...next, slots }, effects };
    },
    'a replacement that cannot boot is not told to who waits for the reload': (fleet, event, ...rest) => {
      const result = step(fleet, event, ...rest);
      return {
        ...result,
        effects: result.effects.filter(
          (effect) => !(effect.type === 'settle' && effect.task === 'reload' && effect.error),
        ),
      };
    },
    'a slow worker is never killed': (fleet, event, now, ...rest) => {
      const result = step(fleet, event, now, ...rest);
      return { ...result, effects: result.effects.filter((effect) => effect.type !== 'kill') };
    },
    'a crash while stopping is restarted': (fleet, event, ...rest) =>
      event.type === 'gone' && fleet.phase === 'stopping'
        ? step({ ...fleet, phase: 'running' }, event, ...rest)
        : step(fleet, event, ...rest),
    'what a failed reload has replaced is not taken back': (fleet, event, ...rest) =>
      event.type === 'reload' && event.from !== undefined
        ? step(fleet, { ...event, from: event.from + 1 }, ...rest)
        : step(fleet, event, ...rest),
    'a stop forgets who waits for a reload': (fleet, event, ...rest) => {
      const result = step(fleet, event, ...rest);
      return event.type === 'stop'
        ? {
            ...result,
            effects: result.effects.filter((effect) => effect.type !== 'settle' || effect.task !== 'reload'),
          }
        : result;
    },
    'a pin is forgotten': (fleet, event, ...rest) =>
      event.type === 'pin' ? { fleet, effects: [] } : step(fleet, event, ...rest),
    'the last scale is forgotten while one is under way': (fleet, event, ...rest) =>
      event.type === 'scale' && fleet.scale !== null
        ? { fleet, effects: [{ type: 'settle', task: 'scale' }] }
        : step(fleet, event, ...rest),
  };
  for (const [name, mutant] of Object.entries(mutants)) {
    it(`finds out when ${name}`, () => {
      expect(() => holds(mutant, 3_000, 1))
        .to.throw()
        .with.property('cause')
        .that.is.an.instanceOf(Violation);
    }).timeout(60_000);
  }

  it('finds a violation of its own', () => {
    expect(() =>
      new World(1, (fleet) => ({ fleet, effects: [{ type: 'fork', ref: { slot: 0, incarnation: 1 } }] })).start(),
    ).to.throw(Violation);
  });
});
