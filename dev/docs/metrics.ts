/** The table of metrics in docs/operations.md: what a scrape says of itself. */
import { metrics } from '#quiesce/primary/metrics/metrics.js';
import { table } from './table.ts';

const idle = {
  name: 'app',
  pid: 1,
  phase: 'serving' as const,
  epoch: 0,
  holds: [],
  workers: [],
  run: null,
  waitingFor: [],
};

export async function metricsTable(): Promise<string> {
  const { route } = metrics({ operations: { status: () => idle, runs: () => [] }, phaseSince: () => 0 });
  const text = await new Promise<string>((resolve, reject) => {
    const response = { set: () => response, type: () => response, send: resolve };
    void route({ path: '/metrics', method: 'GET' } as never, response as never, reject);
  });
  const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]));
  const rows = [...text.matchAll(/^# HELP (\S+) (.+)$/gm)].map(([, name = '', help = '']) => [
    `\`${name}\``,
    types.get(name) ?? '',
    help,
  ]);
  return table(['metric', 'type', ''], rows);
}
