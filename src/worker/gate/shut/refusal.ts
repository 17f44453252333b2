/** Answers that refuse: problem documents (RFC 9457), or a page for a browser. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import Negotiator from 'negotiator';
import { QuiesceError } from '../../../errors.ts';
import { withoutPass } from '../../../protocol/hold/pass.ts';
import { pausePage, refreshAfter } from './pause-page.ts';
import { countProblem, ownPage } from '../../process/runtime.ts';

/** A body up to this size is read and thrown away, which keeps the connection; bytes. */
const smallBody = 64 * 1024;
/** How long to go on reading from a client that still sends after its answer, ms. */
const linger = 2_000;

export interface RefusalOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether a browser gets the page instead. */
  readonly page?: boolean;
}

/** Answers 405 with the allowed methods in `Allow` (RFC 9110, section 10.2.1). */
export function refuseMethod(req: IncomingMessage, res: ServerResponse, allow: string): void {
  refuse(req, res, new QuiesceError('method-not-allowed', `${req.method} is not allowed here. Allowed: ${allow}.`), {
    headers: { Allow: allow },
  });
}

/** Answers a request with an error. Safe at any moment: does nothing if an answer has started. */
export function refuse(
  req: IncomingMessage,
  res: ServerResponse,
  error: QuiesceError,
  options: RefusalOptions = {},
): void {
  if (res.headersSent || res.destroyed) {
    // Too late for an answer. Ending it lets the request settle.
    if (!res.writableEnded) res.end();
    return;
  }
  countProblem(error.code);
  const problem = error.toProblem(withoutPass((req as { originalUrl?: string }).originalUrl ?? req.url ?? ''));
  const retryAfter = Number(options.headers?.['Retry-After']);
  const html = options.page === true && prefersHtml(req);
  const own = html ? ownPage() : null;
  const body = Buffer.from(html ? pausePage(problem, retryAfter, own) : JSON.stringify(problem));
  const unread = hasUnreadBody(req);
  res.writeHead(problem.status, {
    'Content-Type': html ? 'text/html; charset=utf-8' : 'application/problem+json',
    'Content-Length': body.length,
    'Cache-Control': 'no-store',
    // The app decides what its own page may load. The page reloads itself like the built-in one.
    ...(own === null ? {} : { Refresh: String(refreshAfter(retryAfter)) }),
    ...(html && own === null ? { 'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'" } : {}),
    ...(options.page === true ? { Vary: 'Accept' } : {}),
    // A response whose request stays unread must be the last on its connection (RFC 9112, section 9.3).
    ...(unread ? { Connection: 'close' } : {}),
    ...options.headers,
  });
  const content = req.method === 'HEAD' ? undefined : body;
  if (unread && req.headers.expect === undefined) endAfterBody(req, res, content);
  else res.end(content);
}

/**
 * Closing while the client still sends makes its kernel throw the answer away (TCP reset). So the whole answer goes
 * out at once, and the connection is closed when the body has ended or after a moment.
 */
function endAfterBody(req: IncomingMessage, res: ServerResponse, content: Buffer | undefined): void {
  if (content) res.write(content);
  const end = (): void => {
    clearTimeout(timer);
    res.end();
  };
  const timer = setTimeout(end, linger);
  req.once('end', end).once('close', end).once('error', end);
  req.resume();
}

function hasUnreadBody(req: IncomingMessage): boolean {
  if (req.complete) return false;
  if (req.headers['transfer-encoding'] !== undefined) return true;
  return Number(req.headers['content-length'] ?? 0) > smallBody;
}

function prefersHtml(req: IncomingMessage): boolean {
  return new Negotiator(req).mediaType(['application/problem+json', 'application/json', 'text/html']) === 'text/html';
}
