/**
 * `GET /api/events`: server-sent events (HTML standard, section 9.2). A reader gets the `status`, at once and at each
 * change. With `?detail=true` it first gets `history`, and then also each `sample`, `pause`, `run` and, if it is
 * trusted, `log`. With `Last-Event-ID` it gets the events that it missed instead of the history, if they are still
 * kept.
 */
import type { Request, Response } from 'express';
import * as z from '../../vendor/zod.ts';
import type { Live } from '../live/live.ts';
import { QuiesceError } from '../../errors.ts';
import { EventStreams } from '../../protocol/api/event-streams.ts';

/** Often enough for proxies that close silent connections, ms. */
const keepAlive = 15_000;

export interface Reader {
  /** May change things, and so may read the log and the paths of requests. */
  readonly trusted: boolean;
}

/** The readers of one server. Trusted readers have places of their own, which other readers cannot take. */
export class Readers {
  readonly #places = { trusted: new EventStreams(64), others: new EventStreams(64) };

  /** @throws QuiesceError `too-many-streams` */
  enter({ trusted }: Reader, response: Response): void {
    this.#places[trusted ? 'trusted' : 'others'].enter(response);
  }
}

export function streamEvents(live: Live, { trusted }: Reader, request: Request, response: Response): void {
  const detail = z.enum(['true', 'false']).default('false').safeParse(request.query['detail']);
  if (!detail.success) throw new QuiesceError('bad-request', '`detail` takes true or false.');
  const withDetail = detail.data === 'true';
  const { events } = live;
  // A reader whose stream ends since another primary serves must not come back by the connection to this one.
  response.set({ 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no', Connection: 'close' });
  response.flushHeaders();
  request.socket.setTimeout(0);

  /** The last event that was written; null if the reader has nothing yet. */
  let seq = withDetail ? events.seqOf(request.get('last-event-id')) : events.last;
  let shown = '';

  /** A slow reader gets the next write when it has caught up: the newest status, not a queue of old ones. */
  const write = (): void => {
    if (response.writableNeedDrain) return;
    let text = '';
    const missed = !withDetail ? [] : seq === null ? null : events.after(seq);
    const upTo = events.last;
    if (missed === null) {
      text += frame('history', live.history(trusted), events.idOf(upTo));
    } else {
      for (const event of missed) {
        const data = trusted ? event.data : event.publicData;
        if (data !== null) text += frame(event.type, data, events.idOf(event.seq));
      }
    }
    seq = upTo;
    const status = live.status(trusted);
    if (status !== shown) {
      shown = status;
      text += frame('status', shown, events.idOf(upTo));
    }
    if (text !== '') response.write(text);
  };
  const unfollow = live.follow(write, () => response.end());
  write();
  response.on('drain', write);
  const timer = setInterval(() => {
    if (!response.writableNeedDrain) response.write(': \n\n');
  }, keepAlive);
  timer.unref();
  response.on('close', () => {
    clearInterval(timer);
    unfollow();
  });
}

function frame(event: string, data: string, id: string): string {
  return `event: ${event}\nid: ${id}\ndata: ${data}\n\n`;
}
