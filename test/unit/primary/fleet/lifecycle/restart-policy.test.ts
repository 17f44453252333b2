import { expect } from 'chai';
import fc from 'fast-check';
import {
  decideRestart,
  emptyRecord,
  longestDelay,
  period,
  steadyAfter,
  type RestartRecord,
  type RestartSettings,
} from '#quiesce/primary/fleet/lifecycle/restart-policy.js';
import type { ExitCause } from '#quiesce/protocol/api/runs.js';

const pm2Defaults: RestartSettings = { minUptime: 1_000, maxRestarts: 16, restartDelay: 0, expBackoffRestartDelay: 0 };

/** The delays of a slot whose workers all end in the same way, one after the other. */
function delays(
  count: number,
  end: { cause: ExitCause; uptime: number },
  settings: Partial<RestartSettings> = {},
): number[] {
  let record: RestartRecord = emptyRecord;
  let now = 0;
  return Array.from({ length: count }, () => {
    now += end.uptime;
    const decision = decideRestart(record, end, { ...pm2Defaults, ...settings }, now, 1);
    record = decision.record;
    now += decision.delay;
    return decision.delay;
  });
}

describe('restart policy', () => {
  const table: [string, { cause: ExitCause; uptime: number }, Partial<RestartSettings>, number[]][] = [
    ['a crash after min_uptime is restarted at once', { cause: 'crash', uptime: 1_500 }, {}, [0, 0, 0]],
    ['a crash before min_uptime backs off', { cause: 'crash', uptime: 999 }, {}, [100, 200, 400, 800]],
    ['a boot failure backs off', { cause: 'boot-failure', uptime: 0 }, {}, [100, 200, 400, 800, 1_600, 3_200]],
    ['a lost heartbeat after min_uptime is restarted at once', { cause: 'heartbeat', uptime: 20_000 }, {}, [0, 0]],
    ['a memory limit is never held against the slot', { cause: 'memory', uptime: 1 }, {}, [0, 0, 0, 0]],
    ['an exit with 0 is restarted at once after min_uptime', { cause: 'planned', uptime: 1_000 }, {}, [0, 0]],
    ['an exit with 0 before min_uptime backs off', { cause: 'planned', uptime: 10 }, {}, [100, 200]],
    ['restart_delay is waited at least', { cause: 'crash', uptime: 5_000 }, { restartDelay: 300 }, [300, 300]],
    [
      'restart_delay is where unstable ends begin',
      { cause: 'crash', uptime: 1 },
      { restartDelay: 300 },
      [300, 600, 1_200],
    ],
    [
      'exp_backoff_restart_delay grows until a worker is steady',
      { cause: 'crash', uptime: steadyAfter - 1 },
      { expBackoffRestartDelay: 50 },
      [50, 100, 200, 400],
    ],
    [
      'exp_backoff_restart_delay leaves a steady worker alone',
      { cause: 'crash', uptime: steadyAfter },
      { expBackoffRestartDelay: 50 },
      [0, 0],
    ],
    [
      'more than max_restarts within the period are a loop, however long each lived',
      { cause: 'crash', uptime: 1_500 },
      { maxRestarts: 3 },
      [0, 0, 0, longestDelay, longestDelay],
    ],
  ];
  for (const [title, end, settings, expected] of table) {
    it(title, () => expect(delays(expected.length, end, settings)).to.deep.equal(expected));
  }

  it('never waits longer than the longest delay', () => {
    expect(Math.max(...delays(40, { cause: 'boot-failure', uptime: 0 }))).to.equal(longestDelay);
  });

  it('keeps a looping slot at the longest delay until a worker proves steady', () => {
    const looping: RestartRecord = { streak: 0, recent: [], looping: true };
    const young = decideRestart(looping, { cause: 'crash', uptime: steadyAfter - 1 }, pm2Defaults, 10 * period, 1);
    expect(young.delay).to.equal(longestDelay);
    const steady = decideRestart(young.record, { cause: 'crash', uptime: steadyAfter }, pm2Defaults, 20 * period, 1);
    expect(steady).to.deep.include({ delay: 0 });
    expect(steady.record.looping).to.equal(false);
  });

  it('forgets faults that are older than the period', () => {
    let record: RestartRecord = emptyRecord;
    for (let now = 0; now < 10 * period; now += period / 2) {
      const decision = decideRestart(
        record,
        { cause: 'crash', uptime: 5_000 },
        { ...pm2Defaults, maxRestarts: 3 },
        now,
        1,
      );
      expect(decision.delay).to.equal(0);
      record = decision.record;
    }
  });

  it('spreads the restarts of workers that fail together over a quarter of the delay', () => {
    const end = { cause: 'boot-failure', uptime: 0 } as const;
    const delay = (random: number): number => decideRestart(emptyRecord, end, pm2Defaults, 0, random).delay;
    expect([delay(0), delay(0.5), delay(0.999)]).to.deep.equal([75, 88, 100]);
  });

  it('for any history gives a delay between restart_delay and the longest one, and remembers a bounded past', () => {
    const ends = fc.array(
      fc.record({
        cause: fc.constantFrom<ExitCause>('planned', 'crash', 'boot-failure', 'heartbeat', 'memory', 'killed'),
        uptime: fc.nat(2 * steadyAfter),
      }),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(
        ends,
        fc.nat(2_000),
        fc.nat(30),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (all, restartDelay, maxRestarts, random) => {
          let record: RestartRecord = emptyRecord;
          let now = 0;
          for (const end of all) {
            now += end.uptime;
            const decision = decideRestart(record, end, { ...pm2Defaults, restartDelay, maxRestarts }, now, random);
            expect(decision.delay).to.be.within(restartDelay, longestDelay);
            record = decision.record;
            now += decision.delay;
            // Past the limit each restart waits at the longest delay, so that few fit into the period.
            expect(record.recent.length).to.be.at.most(maxRestarts + Math.ceil(period / (0.75 * longestDelay)) + 1);
          }
        },
      ),
    );
  });
});
