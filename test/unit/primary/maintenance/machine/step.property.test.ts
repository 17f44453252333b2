import { expect } from 'chai';
import fc from 'fast-check';
import { history, historyWithOthers, play, toThePause } from './histories.ts';
import { mutants } from './mutants.ts';

const numRuns = Number(process.env['QUIESCE_PROPERTY_RUNS'] ?? 2_000);

describe('the maintenance state, under random histories', function () {
  this.timeout(120_000);

  it('keeps S1 to S5 and M2 in every state and L1 to L3 at the end', () => {
    fc.assert(
      fc.property(history, (given) => void play(given)),
      { numRuns },
    );
  });

  it('keeps them where other hosts agree later, pause the site for runs of their own, and count this one out', () => {
    const seen = { runs: 0, dropped: 0, paused: 0 };
    fc.assert(
      fc.property(historyWithOthers, fc.boolean(), (given, isBegun) => {
        const actions = [...(isBegun ? toThePause : []), ...given.actions];
        const model = play({ ...given, left: [], actions }, {}, true);
        for (const claim of model.claims.values()) if (claim.granted && claim.ends === 1) seen.runs++;
        if (model.others.hasDropped) seen.dropped++;
        if (model.others.hasPaused) seen.paused++;
      }),
      { numRuns },
    );
    for (const [what, times] of Object.entries(seen)) expect(times, what).to.be.above(20);
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
        { numRuns: 20_000, interruptAfterTimeLimit: 100_000 },
      );
      expect(details.failed, 'no history told the mutant from the real thing').to.equal(true);
      expect(String(details.errorInstance), 'a promise must be what it breaks').to.match(/Error: [SLM]\d: /);
    });
  }
});
