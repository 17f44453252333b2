import { expect } from 'chai';
import { HeartbeatMonitor } from '#quiesce/primary/fleet/health/heartbeat.js';

describe('heartbeat monitor', () => {
  /** Checks as its owner does, and tells who was found silent. */
  function run(monitor: HeartbeatMonitor<string>, from: number, to: number): string[] {
    const found: string[] = [];
    for (let now = from; now <= to; now += monitor.interval) found.push(...monitor.check(now).map((each) => each.key));
    return found;
  }

  it('finds a worker that is silent for longer than the timeout', () => {
    const monitor = new HeartbeatMonitor<string>(1_000);
    monitor.watch('0.1', 0);
    monitor.watch('1.1', 0);
    monitor.beat('1.1', 900);
    expect(run(monitor, 0, 1_000)).to.deep.equal([]);
    expect(run(monitor, 1_250, 1_250)).to.deep.equal(['0.1']);
  });

  it('does not count the silence of a worker that still starts', () => {
    const monitor = new HeartbeatMonitor<string>(1_000);
    monitor.beat('0.1', 0);
    expect(run(monitor, 0, 5_000)).to.deep.equal([]);
  });

  it('hears its workers out first when it was itself stopped or busy', () => {
    const monitor = new HeartbeatMonitor<string>(1_000);
    monitor.watch('0.1', 0);
    run(monitor, 0, 500);
    expect(monitor.check(60_000)).to.deep.equal([]);
    expect(run(monitor, 60_250, 61_000)).to.deep.equal([]);
    expect(run(monitor, 61_250, 61_250)).to.deep.equal(['0.1']);
  });

  it('hears its workers out first when it was stopped before it ever checked', () => {
    const monitor = new HeartbeatMonitor<string>(1_000);
    monitor.watch('0.1', 0);
    expect(monitor.check(60_000)).to.deep.equal([]);
  });

  it('forgets a worker that is gone', () => {
    const monitor = new HeartbeatMonitor<string>(1_000);
    monitor.watch('0.1', 0);
    monitor.forget('0.1');
    expect(run(monitor, 0, 5_000)).to.deep.equal([]);
  });
});
