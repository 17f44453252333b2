/** Fetches a feed from a server, unless the server says that it has not changed. */
import http from 'node:http';
import { Readable } from 'node:stream';
import { kindOfAnswer, type FeedFormat, type FeedKind } from './feed-kind.ts';
import { failed, shown, WebGet, type Hints, type WebLimits } from './web-get.ts';
import { QuiesceError } from '../errors.ts';

export type { FeedFormat } from './feed-kind.ts';

export interface FetchOptions {
  /** The format from `--ndjson` or `--csv`. */
  readonly format?: FeedFormat | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly limits: WebLimits;
  /** The largest size as transferred, before decoding. */
  readonly maxBytes: number;
  readonly hints: Hints;
  readonly onProgress?: (bytes: number, total: number | undefined) => void;
}

/** How a server names the state of a feed, RFC 9110, section 8.8; null if it does not. */
export interface Known {
  /** The final address, after redirects: what it says is true of what is there, and of nothing else. */
  readonly url: string;
  readonly etag: string | null;
  readonly lastModified: string | null;
}

export interface Found<T> {
  readonly kept: T;
  readonly known: Known;
}

/**
 * Keeps what comes, and resolves when it has all of it. It fails with the error of the stream, which tells of a feed
 * that did not come whole, or with a QuiesceError of its own.
 */
export type Keep<T> = (stream: Readable, kind: FeedKind) => Promise<T>;

/**
 * Fetches the feed unless the server says that it is still what is `known`.
 *
 * @param address may contain a user name and a password; they are sent and never shown
 */
export async function fetchChanged<T>(
  address: string,
  options: FetchOptions & { readonly known: Known | null },
  keep: Keep<T>,
): Promise<Found<T> | 'unchanged'> {
  const { url, headers } = withoutCredentials(address);
  const get = new WebGet(url, options.limits, options.hints);
  try {
    const plain = { ...headers, ...options.headers };
    const asked = conditions(options.known);
    let answer = await get.answer({ ...plain, ...asked });
    if (answer.response.statusCode === 304 && options.known !== null && Object.keys(asked).length > 0) {
      answer.response.destroy();
      // A redirect may lead to another file than the one that is known, and no condition goes to another server.
      if (answer.url.href === options.known.url && answer.url.origin === url.origin) return 'unchanged';
      answer = await get.answer(plain);
    }
    // The connection may still fail after reading has stopped.
    answer.response.on('error', () => undefined);
    const isElsewhere = answer.url.origin !== url.origin;
    try {
      const { headers: said } = answer.response;
      refuseStatus(answer.response, answer.url, isElsewhere, options.hints);
      const kind = kindOfAnswer(
        answer.response,
        `The feed at ${shown(answer.url)}`,
        answer.url.pathname,
        options.format,
      );
      refuseUnframed(answer.response, answer.url, kind);
      const stream = Readable.from(whole(answer.response, answer.url, get, options), { objectMode: false });
      const kept = await keep(stream, kind);
      return {
        kept,
        known: { url: answer.url.href, etag: said.etag ?? null, lastModified: said['last-modified'] ?? null },
      };
    } finally {
      answer.response.destroy();
    }
  } catch (cause) {
    throw get.explain(cause);
  } finally {
    get.end();
  }
}

/** RFC 9110, section 13.1: the tag where there is one, since times are exact to the second only. */
function conditions(known: Known | null): Record<string, string> {
  if (known === null) return {};
  const { etag, lastModified } = known;
  if (etag !== null) return { 'If-None-Match': etag };
  return lastModified === null ? {} : { 'If-Modified-Since': lastModified };
}

function withoutCredentials(address: string): { url: URL; headers: Record<string, string> } {
  if (!URL.canParse(address))
    throw new QuiesceError(
      'bad-usage',
      'The address of the feed cannot be understood; it is such as https://host/feed.json.',
    );
  const url = new URL(address);
  const { username, password } = url;
  url.username = '';
  url.password = '';
  if (username === '' && password === '') return { url, headers: {} };
  const pair = Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64');
  return { url, headers: { Authorization: `Basic ${pair}` } };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function refuseStatus(
  { statusCode = 0, statusMessage }: http.IncomingMessage,
  url: URL,
  isElsewhere: boolean,
  { headers }: Hints,
): void {
  if (statusCode === 200) return;
  if (statusCode === 304)
    throw failed(url, `answered 304: it has not changed, but since when is known only if ${headers} says it`);
  if (statusCode === 206) throw failed(url, 'answered 206: this is a part of it, and a feed has to come whole');
  const refusal = isElsewhere
    ? `: it is on another server than the address says, which is sent neither ${headers} nor a password`
    : `: it wants credentials, see ${headers}`;
  const more = statusCode === 401 || statusCode === 403 ? refusal : '';
  throw failed(
    url,
    `answered ${statusCode} ${statusMessage || (http.STATUS_CODES[statusCode] ?? '')}`.trimEnd() + more,
  );
}

/**
 * Cut-off JSON lacks its last bracket. Cut-off lines look like a shorter feed, so the missing items would be deleted.
 */
function refuseUnframed({ headers }: http.IncomingMessage, url: URL, { format }: FeedKind): void {
  if (format === 'json' || headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined)
    return;
  throw failed(url, 'says neither its length nor where it ends: nobody could tell whether it came whole');
}

/** The bytes of the feed. It fails where they are not all of it, or too many. */
async function* whole(
  response: http.IncomingMessage,
  url: URL,
  get: WebGet,
  { maxBytes, hints, onProgress }: FetchOptions,
): AsyncGenerator<Buffer> {
  const length = response.headers['content-length'];
  const total = length === undefined ? undefined : Number(length);
  const refuse = (what: string): QuiesceError =>
    new QuiesceError(
      'payload-too-large',
      `The feed at ${shown(url)} ${what}, and ${maxBytes} are allowed. Allow more with ${hints.maxBytes}. Nothing was sent to the app.`,
    );
  if (total !== undefined && total > maxBytes) throw refuse(`has ${total} bytes`);
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw refuse(`has more bytes`);
      onProgress?.(bytes, total);
      yield chunk;
    }
  } catch (cause) {
    throw get.explain(cause);
  }
  if (!response.complete) throw failed(url, `was cut off after ${bytes} bytes`);
}
