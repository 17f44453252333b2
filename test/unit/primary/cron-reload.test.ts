import { expect } from 'chai';
import { CronReloads } from '#quiesce/primary/cron-reload.js';

describe('cron_restart', () => {
  it('reloads at each time, survives one that fails, and ends', async function () {
    this.timeout(10_000);
    const errors: unknown[] = [];
    let reloads = 0;
    let second: () => void = () => undefined;
    const twice = new Promise<void>((resolve) => (second = resolve));
    const log = { info: () => undefined, error: (fields: unknown) => void errors.push(fields) };
    const cron = new CronReloads(async () => {
      reloads += 1;
      if (reloads === 1) throw new Error('no boot');
      second();
    }, log);
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
});
