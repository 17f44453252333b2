/** Finds out whether this process still answers requests that can be expected to end. */
import type { ServerResponse } from 'node:http';
import { tracked } from './connections.ts';

/**
 * True if a request other than an event stream is in flight. An event stream ends only when its app or its client ends it,
 * and its client connects again by itself (HTML, "Server-sent events"). A handler whose client has left answers nobody.
 *
 * @param busy returns how many requests have a handler that still works, connected or not
 */
export function isAnswering(busy: () => number): boolean {
  let streams = 0;
  for (const { _httpMessage: response } of tracked.sockets) {
    if (!response) continue;
    if (!isEventStream(response)) return true;
    streams++;
  }
  return tracked.sessions.size > 0 && busy() > streams; // requests of HTTP/2 have no socket of their own
}

/** Node keeps a header that was given to `writeHead` only in the text that it sends. */
function isEventStream(response: ServerResponse): boolean {
  const { _header: sent } = response as { _header?: string | null };
  const type = response.getHeader('content-type');
  if (type !== undefined) return String(type).startsWith('text/event-stream');
  return typeof sent === 'string' && /^content-type: *text\/event-stream/im.test(sent);
}
