/** `GET` of the runs: all, one, or one as a live stream. */
import type { Request, Response } from 'express';
import { EventStreams } from '../../protocol/api/event-streams.ts';
import { isEnded } from '../../protocol/api/is-ended.ts';
import { publicRun } from '../../protocol/api/public-view.ts';
import type { CompleteMirrorOptions } from '../../protocol/workers/mirror-job.ts';
import type { RunRecord } from '../../protocol/api/runs.ts';
import { claimFor } from './deliveries.ts';
import { requestTimeout } from '../process/link.ts';
import { getRuntime } from '../process/runtime.ts';

/** Comments that keep proxies from closing an idle stream, ms. */
const keepAlive = 15_000;
const listLimit = 100;

/** The streams of this worker. */
const streams = new EventStreams(100);

/** Answers with the list if `run` is empty, otherwise with that run. */
export async function serveRuns(
  req: Request,
  res: Response,
  run: string,
  mirror: CompleteMirrorOptions,
): Promise<void> {
  const runtime = getRuntime();
  runtime.requirePrimary();
  res.set('Cache-Control', 'no-store');
  if (run === '') {
    const items = await runtime.link.request<'runs'>(
      { op: 'runs', limit: listLimit, mirror: claimFor(mirror) },
      { timeout: requestTimeout },
    );
    res.json({ items: items.map(publicRun) });
    return;
  }
  res.vary('Accept');
  if (req.accepts(['application/json', 'text/event-stream']) === 'text/event-stream') return stream(req, res, run);
  res.json(publicRun(await runtime.link.request<'run'>({ op: 'run', run }, { timeout: requestTimeout })));
}

/**
 * Server-sent events: `run` with the whole record at each change, until the run has ended. A slow reader misses changes
 * until it has caught up, but never the end.
 */
async function stream(req: Request, res: Response, id: string): Promise<void> {
  streams.enter(res);
  let number = 0;
  let stop = (): void => {};
  let skipped: RunRecord | null = null;
  const send = (run: RunRecord): void => {
    if (res.writableNeedDrain && !isEnded(run.state)) {
      skipped = run;
      return;
    }
    skipped = null;
    res.write(`id: ${++number}\nevent: run\ndata: ${JSON.stringify(publicRun(run))}\n\n`);
    if (!isEnded(run.state)) return;
    stop();
    res.end();
  };
  // Changes that come before the answer to `watch` are older than it.
  let current = false;
  const watch = await getRuntime().link.watch(id, (run) => {
    if (current) send(run);
  });
  current = true;
  const timer = setInterval(() => {
    if (!res.writableNeedDrain) res.write(': still here\n\n');
  }, keepAlive);
  stop = () => {
    clearInterval(timer);
    watch.stop();
  };
  if (req.destroyed || res.destroyed) return stop();
  res.once('close', stop).on('drain', () => {
    if (skipped) send(skipped);
  });
  res.set({ 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' }).flushHeaders();
  send(watch.current);
}
