import { userInfo } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { scratchFolders } from '../scratch.ts';
import { useCommands } from './use-commands.ts';

const scratch = scratchFolders();

describe('the commands that give orders', function () {
  this.timeout(60_000);
  const { run, primary } = useCommands();

  it('turns maintenance on and off', async () => {
    const cwd = scratch({ '.quiesce/web/x': '' });
    const operations = await primary(path.join(cwd, '.quiesce/web'));
    expect(await run(['maintenance', 'on', '--reason', 'works', '--for', '10m'], { cwd })).to.include({ code: 0 });
    expect(await run(['maintenance', 'off'], { cwd })).to.include({ code: 0, out: 'maintenance: off (serving)\n' });
    const kept = ['maintenance', 'on', '--timeout', '90s', '--keep', '--by', 'ann'];
    expect(await run(kept, { cwd })).to.include({ code: 0 });
    expect(await run(['maintenance', 'on', '--no-wait'], { cwd })).to.include({ code: 0 });
    const by = userInfo().username;
    expect(operations.asked).to.deep.equal([
      { on: true, reason: 'works', forMs: 600_000, wait: { keep: false }, by },
      { on: false, by },
      { on: true, wait: { keep: true, timeout: 90_000 }, by: 'ann' },
      { on: true, by },
    ]);
  });

  it('lists the orders that were given, the newest first, without a primary', async () => {
    const cwd = scratch({
      '.quiesce/web/admin.token': 'x',
      '.quiesce/web/orders.jsonl.1': '{"time":"2026-01-01T00:00:00.000Z","order":"reload"}\n',
      '.quiesce/web/orders.jsonl':
        '{"time":"2026-01-02T00:00:00.000Z","order":"maintenance on","by":"ann\\u001b[2J","reason":"works","forMs":600000}\n',
    });
    const { code, out } = await run(['orders'], { cwd });
    expect(code).to.equal(0);
    const [, newest, oldest] = out.split('\n');
    expect(newest).to.match(/^2026-01-02T00:00:00\.000Z +maintenance on +ann\\u001b\[2J +for 10 min 0 s, reason works/);
    expect(oldest).to.match(/^2026-01-01T00:00:00\.000Z +reload/);
    const json = JSON.parse((await run(['orders', '--json', '-n', '1'], { cwd })).out) as { order: string }[];
    expect(json.map(({ order }) => order)).to.deep.equal(['maintenance on']);
    expect((await run(['orders'], { cwd: scratch({ '.quiesce/web/admin.token': '' }) })).out).to.equal(
      'no orders yet\n',
    );
  });

  it('takes no time without a unit', async () => {
    for (const flag of ['--for', '--timeout']) {
      const { code, err } = await run(['maintenance', 'on', flag, '10'], { cwd: scratch() });
      expect(code).to.equal(2);
      expect(err).to.include('Did you mean 10m?');
    }
  });

  it('reloads, and scales to a number or by a step', async () => {
    const cwd = scratch({ '.quiesce/web/x': '' });
    const operations = await primary(path.join(cwd, '.quiesce/web'));
    for (const words of ['reload', 'scale 3', 'scale +1', 'scale -2']) {
      const { code, out, err } = await run([...words.split(' '), '--by', 'ann'], { cwd });
      expect({ code, err }, words).to.deep.equal({ code: 0, err: '' });
      expect(out).to.match(/^(reloaded )?1 worker\n$/);
    }
    const by = 'ann';
    expect(operations.asked).to.deep.equal([
      { reload: { by: 'ann' } },
      { instances: 3, by },
      { step: 1, by },
      { step: -2, by },
    ]);
    const wrong = ['0', '+0', '1.5', '1025'].map(async (number) => (await run(['scale', number], { cwd })).code);
    expect(await Promise.all(wrong)).to.deep.equal([2, 2, 2, 2]);
  });
});
