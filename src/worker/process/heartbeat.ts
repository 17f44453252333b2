/** Reports to the primary regularly that the event loop runs, and what is in flight. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Runtime } from './runtime.ts';

const resolution = 10;

/** Returns a function that sends an extra heartbeat at once. */
export function startHeartbeat(runtime: Runtime, interval: number): () => void {
  const delay = monitorEventLoopDelay({ resolution });
  delay.enable();
  const beat = (): void => {
    const { gate, link } = runtime;
    // The histogram measures the timer's period, which includes its resolution.
    const p99 = Number.isFinite(delay.percentile(99)) ? Math.max(0, delay.percentile(99) / 1e6 - resolution) : 0;
    delay.reset();
    link.send({
      type: 'heartbeat',
      epoch: gate.epoch,
      beat: {
        gate: gate.state,
        inFlight: gate.inFlight,
        eventLoopDelay: Math.round(p99 * 100) / 100,
        served: gate.served,
        refused: gate.refused,
        problems: runtime.problems,
        times: gate.times,
        oldest: gate.state === 'shut' ? gate.oldest() : [],
      },
    });
  };
  setInterval(beat, interval).unref();
  beat();
  return beat;
}
