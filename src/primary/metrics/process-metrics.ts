/** Metrics of the primary's own process, under the names that every Prometheus client library uses. */
import { performance } from 'node:perf_hooks';
import { Counter, Gauge, type Registry } from '../../vendor/prom-client.ts';

export function processMetrics(registry: Registry): void {
  const registers = [registry];
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Processor time of the primary, user and system, its mirror thread included',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory of the primary',
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  const startedAt = Date.now() / 1_000 - process.uptime();
  new Gauge({
    name: 'process_start_time_seconds',
    help: 'When the primary was started',
    registers,
    collect() {
      this.set(startedAt);
    },
  });
  let last = performance.eventLoopUtilization();
  new Gauge({
    name: 'quiesce_primary_event_loop_utilization_ratio',
    help: "How much of the time the primary's event loop was busy since the last scrape",
    registers,
    collect() {
      const now = performance.eventLoopUtilization();
      this.set(performance.eventLoopUtilization(now, last).utilization);
      last = now;
    },
  });
}
