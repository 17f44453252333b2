import { expect } from 'chai';
import { once } from 'node:events';
import { noRequestTimes, countTime, requestBounds } from '#quiesce/protocol/workers/request-times.js';
import { pause, runtime } from '../fake-primary.ts';
import { get, until, useGatedServer } from './gated-server.ts';

describe('what a worker counts', () => {
  const { appWith, serve, raw, held, handlerStarted } = useGatedServer();
  const total = (): number => runtime().gate.times.counts.reduce((sum, count) => sum + count, 0);

  it('is each request once, when nothing of it runs any more, with the time that it took', async () => {
    const port = await serve(appWith());
    const { gate } = runtime();
    const before = { count: total(), sum: gate.times.sum };
    const running = handlerStarted();
    const socket = await raw(port, get('/hold'));
    await running;
    socket.destroy();
    await once(held[0]!, 'close');
    expect(total()).to.equal(before.count);
    const since = performance.now();
    await until(() => performance.now() - since > 20, 'some time to pass');
    held[0]!.end();
    expect(total()).to.equal(before.count + 1);
    expect(gate.times.sum - before.sum).to.be.within(20, 5_000);
  });

  it('is how long a request took, not how long nobody looked', async () => {
    const port = await serve(appWith());
    const before = runtime().gate.times.sum;
    const began = performance.now();
    await (await fetch(`http://127.0.0.1:${port}/ok`)).text();
    const seen = performance.now() - began;
    const since = performance.now();
    await until(() => performance.now() - since > seen + 50, 'some time to pass');
    expect(runtime().gate.times.sum - before).to.be.below(seen);
  });

  it('is each refusal, by its code', async () => {
    const port = await serve(appWith());
    const { problems } = runtime();
    const before = problems['paused'] ?? 0;
    const counted = total();
    pause();
    for (let time = 0; time < 3; time++) await fetch(`http://127.0.0.1:${port}/ok`);
    expect(problems['paused']).to.equal(before + 3);
    expect(total()).to.equal(counted);
  });

  it('falls into the bucket whose bound it does not pass', () => {
    const times = noRequestTimes();
    for (const ms of [0, 5, 5.1, 10_000, 10_001, 1e9]) countTime(times, ms);
    expect(times.counts).to.deep.equal([2, 1, ...Array.from({ length: requestBounds.length - 3 }, () => 0), 1, 2]);
  });
});
