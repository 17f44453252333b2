import { statSync, symlinkSync, writeFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { OrderHistory, storedOrders } from '#quiesce/primary/admin/order-history.js';
import { guardWrites } from '#quiesce/primary/data-dir/durable.js';
import { scratchFolders } from '../../scratch.ts';

describe('the history of orders', () => {
  const scratch = scratchFolders();
  const logged: string[] = [];
  const log = {
    info: (_: object, text: string) => logged.push(text),
    warn: (_: object, text: string) => logged.push(text),
  };
  beforeEach(() => void (logged.length = 0));
  const history = (folder: string, limit?: number): OrderHistory => new OrderHistory(folder, log as never, limit);

  it('says who asked for what and when, also to the next primary, and is private', async () => {
    const folder = scratch();
    const first = history(folder);
    first.given('maintenance on', { by: 'ann', reason: 'move the\ntables', forMs: 600_000 });
    first.given('reload', {});
    await first.flush();
    const next = history(folder);
    next.given('maintenance off', { by: 'SIGUSR2' });
    await next.flush();
    const orders = await storedOrders(folder);
    expect(orders.map(({ time: _time, ...order }) => order)).to.deep.equal([
      { order: 'maintenance on', by: 'ann', reason: 'move the\ntables', forMs: 600_000 },
      { order: 'reload' },
      { order: 'maintenance off', by: 'SIGUSR2' },
    ]);
    for (const { time } of orders) expect(Math.abs(Date.now() - Date.parse(time))).to.be.below(60_000);
    expect(statSync(join(folder, 'orders.jsonl')).mode & 0o777).to.equal(0o600);
    expect(logged[1]).to.equal('reload, requested by an unnamed caller');
    expect(await storedOrders(scratch()), 'none yet').to.deep.equal([]);
  });

  it('forgets the oldest, and holds two files at most', async () => {
    const folder = scratch();
    const orders = history(folder, 1000);
    for (let i = 0; i < 100; i++) orders.given('scale', { by: 'ann', instances: i });
    await orders.flush();
    const kept = (await storedOrders(folder)).map(({ instances }) => instances);
    expect(kept.at(-1)).to.equal(99);
    expect(kept).to.deep.equal(Array.from(kept, (_, i) => 100 - kept.length + i));
    const sizes = ['orders.jsonl', 'orders.jsonl.1'].map((name) => statSync(join(folder, name)).size);
    expect(Math.max(...sizes)).to.be.within(800, 1000);
  });

  it('leaves out a line that was cut off, and goes on behind it', async () => {
    const folder = scratch({ 'orders.jsonl': '{"time":"2026-01-01T00:00:00.000Z","order":"reload"}\n{"time":"2026-' });
    const orders = history(folder);
    orders.given('stop', {});
    orders.given('reload', {});
    await orders.flush();
    expect((await storedOrders(folder)).map(({ order }) => order)).to.deep.equal(['reload', 'stop', 'reload']);
  });

  it('writes nothing once another primary holds the folder, nor through a link; the order is carried out all the same', async () => {
    const folder = scratch({ target: 'theirs' });
    symlinkSync(join(folder, 'target'), join(folder, 'orders.jsonl'));
    const orders = history(folder);
    orders.given('reload', {});
    await orders.flush();
    expect(readFileSync(join(folder, 'target'), 'utf8')).to.equal('theirs');
    expect(logged.at(-1)).to.equal('an order cannot be written to the history of orders');

    const lost = scratch();
    writeFileSync(join(lost, 'orders.jsonl'), '');
    const end = guardWrites(lost, () => true);
    try {
      const late = history(lost);
      late.given('reload', {});
      await late.flush();
      expect(await storedOrders(lost)).to.deep.equal([]);
    } finally {
      end();
    }
  });
});
