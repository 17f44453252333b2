/** When each mirror was brought up to date, from the history: of this host and, in a cluster, of the others. */
import { Gauge, type Registry } from '../../vendor/prom-client.ts';
import { scopeText } from '../../protocol/feed/mirror-text.ts';
import type { RunRecord } from '../../protocol/api/runs.ts';
import { upToDateAt } from '../runs/history/of-mirror.ts';
import { runOutcomes } from '../../protocol/words.ts';

type Label = 'collection' | 'scope' | 'outcome';

/** @param runs those of the history */
export function mirrorMetrics(registry: Registry, runs: () => readonly RunRecord[]): void {
  new Gauge<Label>({
    name: 'quiesce_mirror_last_end_timestamp_seconds',
    help: 'When the last run of this mirror (collection and scope) ended with this outcome, or when the source of its feed said last that the feed has not changed since; runs of earlier primaries count',
    labelNames: ['collection', 'scope', 'outcome'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [labels, at] of newestOf(runs())) this.set(labels, at);
    },
  });
}

function newestOf(runs: readonly RunRecord[]): Iterable<[Record<Label, string>, number]> {
  const newest = new Map<string, [Record<Label, string>, number]>();
  for (const run of runs) {
    const { collection, scope, state } = run;
    const outcome = runOutcomes.find((each) => each === state);
    const time = upToDateAt(run);
    if (collection === undefined || outcome === undefined || time === null) continue;
    const labels = { collection, scope: scopeText(scope), outcome };
    const key = JSON.stringify(labels);
    const at = Date.parse(time) / 1_000;
    if (at > (newest.get(key)?.[1] ?? 0)) newest.set(key, [labels, at]);
  }
  return newest.values();
}
