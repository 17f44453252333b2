import { expect } from 'chai';
import { PauseLog, pausesOf } from '#quiesce/primary/live/pause-log.js';
import type { PauseRecord } from '#quiesce/protocol/api/live.js';
import type { HoldStatus, Phase } from '#quiesce/protocol/api/runs.js';
import { endedRun } from '../../dashboard/a-day.js';

const at = (ms: number): string => new Date(ms).toISOString();

describe('the log of pauses', () => {
  let holds: HoldStatus[];
  let refused: number;
  let told: PauseRecord[];
  const logFrom = (phase: Phase, epoch = 7): PauseLog => {
    const sources = {
      holds: () => holds,
      refused: () => refused,
      changed: (pause: PauseRecord) => void told.push(pause),
    };
    return new PauseLog(sources, { phase, epoch, now: 1_000 });
  };
  beforeEach(() => {
    holds = [];
    refused = 100;
    told = [];
  });

  it('tells when the gates shut, when the last worker was at rest and when they opened', () => {
    const log = logFrom('serving');
    holds = [{ kind: 'sync', reason: 'run a', since: at(2_000) }];
    log.moved({ from: 'serving', to: 'draining', epoch: 8, at: 2_000 });
    log.moved({ from: 'draining', to: 'quiesced', epoch: 8, at: 2_300 });
    const open = holds;
    holds = [];
    log.moved({ from: 'quiesced', to: 'serving', epoch: 8, at: 3_000 });
    expect(log.list).to.deep.equal([
      { epoch: 8, from: at(2_000), drained: at(2_300), to: at(3_000), holds: open, refused: 0 },
    ]);
    expect(told).to.have.length(3);
  });

  it('has no time of rest where a drain was given up', () => {
    const log = logFrom('serving');
    log.moved({ from: 'serving', to: 'draining', epoch: 8, at: 2_000 });
    log.moved({ from: 'draining', to: 'serving', epoch: 8, at: 5_000 });
    expect(log.list[0])
      .to.include({ to: at(5_000) })
      .and.not.have.property('drained');
  });

  it('counts a run under an operator hold to the same pause, with both holds', () => {
    const log = logFrom('serving');
    holds = [{ kind: 'operator', reason: 'works', since: at(2_000) }];
    log.moved({ from: 'serving', to: 'draining', epoch: 8, at: 2_000 });
    log.moved({ from: 'draining', to: 'quiesced', epoch: 8, at: 2_300 });
    holds = [...holds, { kind: 'sync', reason: 'run a', since: at(4_000) }];
    log.moved({ from: 'quiesced', to: 'draining', epoch: 9, at: 4_000 });
    log.moved({ from: 'draining', to: 'quiesced', epoch: 9, at: 4_001 });
    holds = holds.slice(0, 1);
    log.refresh(5_000);
    expect(log.list).to.have.length(1);
    expect(log.list[0]).to.deep.include({ epoch: 8, drained: at(2_300) });
    expect(log.list[0]!.holds.map(({ kind }) => kind)).to.have.members(['operator', 'sync']);
  });

  it('counts refusals from its begin, and those that the workers tell just after its end', () => {
    const log = logFrom('serving');
    log.moved({ from: 'serving', to: 'draining', epoch: 8, at: 2_000 });
    refused = 130;
    log.refresh(2_500);
    log.moved({ from: 'draining', to: 'serving', epoch: 8, at: 3_000 });
    refused = 142;
    log.refresh(3_900);
    expect(log.list[0]!.refused).to.equal(42);
    refused = 190;
    log.refresh(9_000);
    expect(log.list[0]!.refused).to.equal(42);
  });

  it('begins with a pause where the cluster starts held', () => {
    holds = [{ kind: 'operator', reason: 'works', since: at(0) }];
    expect(logFrom('quiesced').list).to.deep.equal([
      { epoch: 7, from: at(1_000), drained: at(1_000), holds, refused: 0 },
    ]);
    expect(logFrom('serving').list).to.deep.equal([]);
  });

  it('knows the pauses of an earlier primary from the reports of its runs', () => {
    const plan = { items: 10, inserted: 1, updated: 2, deleted: 3, paused: 500 };
    const runs = [
      endedRun({ ...plan, at: 90_000 }, 2),
      endedRun({ ...plan, at: 10_000 }, 1),
      endedRun({ ...plan, at: 50_000, paused: 0 }, 3),
    ];
    const pauses = pausesOf(runs);
    expect(pauses.map(({ epoch }) => epoch)).to.deep.equal([11, 12]);
    expect(Date.parse(pauses[0]!.to!) - Date.parse(pauses[0]!.from)).to.equal(500);
  });
});
