/** A histogram of observations that others have counted. prom-client's own histogram cannot take counts. */
import type { MetricObjectWithValues, MetricValueWithName, Registry } from '../../vendor/prom-client.ts';
import { noRequestTimes, requestBounds, type RequestTimes } from '../../protocol/workers/request-times.ts';

export class CountedHistogram {
  readonly name: string;
  readonly #help: string;
  readonly #total: RequestTimes = noRequestTimes();

  /** `name` ends in `_seconds`. */
  constructor(name: string, help: string, registry: Registry) {
    this.name = name;
    this.#help = help;
    // The registry uses only the name and `get` of a metric, but its types require one of prom-client's classes.
    registry.registerMetric(this as unknown as Parameters<Registry['registerMetric']>[0]);
  }

  /** Adds the observations since `before`, the previous counts of the same worker. */
  add(now: RequestTimes, before: RequestTimes | undefined): void {
    now.counts.forEach((count, bucket) => (this.#total.counts[bucket]! += count - (before?.counts[bucket] ?? 0)));
    this.#total.sum += now.sum - (before?.sum ?? 0);
  }

  async get(): Promise<MetricObjectWithValues<MetricValueWithName<string>>> {
    const values: MetricValueWithName<string>[] = [];
    let count = 0;
    for (const [bucket, bound] of [...requestBounds, Infinity].entries()) {
      count += this.#total.counts[bucket]!;
      const le = bound === Infinity ? '+Inf' : bound / 1_000;
      values.push({ metricName: `${this.name}_bucket`, labels: { le }, value: count });
    }
    values.push({ metricName: `${this.name}_sum`, labels: {}, value: this.#total.sum / 1_000 });
    values.push({ metricName: `${this.name}_count`, labels: {}, value: count });
    return { name: this.name, help: this.#help, type: 'histogram', aggregator: 'sum', values } as never;
  }
}
