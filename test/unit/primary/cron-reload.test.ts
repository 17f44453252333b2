import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { CronReloads } from '#quiesce/primary/cron-reload.js';
import { alone, type Ticks } from '#quiesce/primary/ticks.js';

describe('cron_restart', () => {
  it('reloads at each time, survives one that fails, and ends', async function () {
    this.timeout(10_000);
    const errors: unknown[] = [];
    let reloads = 0;
    let second: () => void = () => undefined;
    const twice = new Promise<void>((resolve) => (second = resolve));
    const log = { info: () => undefined, error: (fields: unknown) => void errors.push(fields) };
    const cron = new CronReloads(log, alone, async () => {
      reloads += 1;
      if (reloads === 1) throw new Error('no boot');
      second();
    });
    cron.use('0 0 1 1 *');
    cron.use('* * * * * *');
    // Its timer keeps nothing alive, so something else has to.
    const alive = setInterval(() => undefined, 1000);
    await twice;
    clearInterval(alive);
    cron.use(null);
    expect(errors).to.have.length(1);
    expect(errors[0]).to.have.nested.property('err.message', 'no boot');
  });

  it('reloads where this host has won the time, and not where another has', async function () {
    this.timeout(10_000);
    const asked: number[] = [];
    const texts: string[] = [];
    let reloads = 0;
    const log = { info: () => undefined, error: (...words: unknown[]) => void texts.push(String(words[1])) };
    const answers = [false, null, true];
    const ticks: Ticks = {
      wins: async (what, at) => {
        expect(what).to.equal('cron_restart');
        asked.push(at);
        const answer = answers[asked.length - 1];
        if (answer === null) throw new Error('no MongoDB');
        return answer ?? false;
      },
    };
    const cron = new CronReloads(log, ticks, async () => void reloads++);
    cron.use('* * * * * *');
    while (reloads === 0) await delay(5);
    cron.use(null);
    expect(reloads).to.equal(1);
    expect(new Set(asked).size, 'times of the schedule').to.be.above(1);
    for (const at of asked) expect(at % 1_000).to.equal(0);
    expect(texts).to.have.length(1);
  });
});
