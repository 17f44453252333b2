import { Cron } from 'croner';
import { expect } from 'chai';
import { DueTimes, lastTime, type Ticks } from '#quiesce/primary/ticks.js';

const daily = new Cron('0 2 * * *', { paused: true, timezone: 'Etc/UTC' });
const two = Date.UTC(2026, 0, 7, 2);
const day = 24 * 60 * 60 * 1_000;

describe('the time of a schedule that has come last', () => {
  it('is the same for whoever is woken in its very millisecond, or later', () => {
    expect(lastTime(daily, two)).to.equal(two);
    expect(lastTime(daily, two + 1)).to.equal(two);
    expect(lastTime(daily, two + day - 1)).to.equal(two);
    expect(lastTime(daily, two - 1)).to.equal(two - day);
  });
});

describe('a time of a schedule', () => {
  /** A schedule whose last time is what the test says. */
  function schedule(): { at: number; asked: number[]; times: DueTimes; isNext: () => Promise<boolean> } {
    const asked: number[] = [];
    const ticks: Ticks = {
      wins: async (_what, at) => {
        asked.push(at);
        return true;
      },
    };
    const times = new DueTimes(ticks, 'a source');
    const cron = { previousRuns: () => [new Date(given.at)], msToNext: () => 60_000 };
    const given = { at: two, asked, times, isNext: () => times.winLast(cron) };
    return given;
  }

  it('counts once, where its timer fires twice because the clock was set back', async () => {
    const given = schedule();
    expect(await given.isNext()).to.equal(true);
    expect(await given.isNext()).to.equal(false);
    given.at += day;
    expect(await given.isNext()).to.equal(true);
    expect(given.asked).to.deep.equal([two, two + day]);
  });

  it('counts where the clock was far ahead before, and is right again', async () => {
    const given = schedule();
    given.at = two + 365 * day;
    expect(await given.isNext()).to.equal(true);
    given.at = two;
    expect(await given.isNext()).to.equal(true);
  });
});
