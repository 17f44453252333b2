import { expect } from 'chai';
import {
  bootSize,
  decideMemory,
  longestDelay,
  noMemoryRecord,
} from '#quiesce/primary/fleet/lifecycle/memory-policy.js';

describe('a worker above max_memory_restart', () => {
  it('is replaced at once where it has grown, however often', () => {
    let record = noMemoryRecord;
    for (let now = 0; now < 60_000; now += bootSize + 1) {
      const decision = decideMemory(record, bootSize + 1, now);
      expect(decision?.remark).to.equal('');
      record = decision!.record;
    }
  });

  it('is replaced more and more rarely where it was so large as soon as it had booted, and the log says why', () => {
    let record = noMemoryRecord;
    const replacements: number[] = [];
    for (let now = 0; now < 20 * 60_000; now += 1_000) {
      const decision = decideMemory(record, 500, now);
      if (decision === null) continue;
      expect(decision.remark).to.include('raise max_memory_restart');
      replacements.push(now);
      record = decision.record;
    }
    expect(replacements.slice(0, 4)).to.deep.equal([0, 2_000, 6_000, 14_000]);
    const gaps = replacements.slice(1).map((at, index) => at - replacements[index]!);
    expect(Math.max(...gaps)).to.equal(longestDelay);
  });

  it('is replaced at once again when a worker of its slot has once been small', () => {
    const { record } = decideMemory(noMemoryRecord, 500, 0)!;
    expect(decideMemory(record, 500, 1)).to.equal(null);
    expect(decideMemory(record, bootSize + 1, 1)?.record).to.deep.equal(noMemoryRecord);
  });
});
