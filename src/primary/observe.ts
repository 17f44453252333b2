/** Sets up everything that shows or counts what happens in the cluster: event stream, metrics, spans. */
import type { RequestHandler } from 'express';
import { Live } from './live/live.ts';
import { LogTail } from './live/log-tail.ts';
import type { Observers } from './live/observers.ts';
import { spans } from './live/spans.ts';
import { Traffic } from './live/traffic.ts';
import type { OpenLog } from './log/log.ts';
import type { Beats } from './maintenance/beats.ts';
import { metrics } from './metrics/metrics.ts';
import type { Operations } from './ports.ts';

export interface Observed {
  readonly live: Live;
  /** `GET /metrics`. */
  readonly metrics: RequestHandler;
}

export async function observe(
  operations: Operations,
  observers: Observers,
  log: OpenLog,
  beats: Pick<Beats, 'refused'>,
): Promise<Observed> {
  const traffic = new Traffic();
  const tail = new LogTail();
  log.alsoTo(tail);
  const live = new Live({
    operations,
    traffic,
    refused: () => beats.refused,
    tail,
    onPause: (pause) => observers.paused(pause),
  });
  const { observer, route } = metrics({ operations, phaseSince: () => live.phaseSince });
  const tracing = await spans();
  observers.add(traffic, live, observer, ...(tracing === null ? [] : [tracing]));
  return { live, metrics: route };
}
