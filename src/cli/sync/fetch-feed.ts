/**
 * Fetches a feed completely into a temporary file before it is sent to the app. So a slow or broken server does not
 * keep the feeds of other senders waiting. The file's name is removed before the first byte is written: no other
 * process can open it, and nothing is left on the disk, however the command ends.
 */
import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { kindOfAnswer, sourceOf, type FeedFormat, type FeedKind, type FeedSource } from './feed-kind.ts';
import { failed, shown, WebGet, type WebLimits } from './web-get.ts';
import { QuiesceError } from '../../errors.ts';

export interface FetchOptions {
  /** The format from `--ndjson` or `--csv`. */
  readonly format?: FeedFormat | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly limits: WebLimits;
  /** The largest size as transferred, before decoding. */
  readonly maxBytes: number;
  readonly onProgress?: (bytes: number, total: number | undefined) => void;
}

/** @param address may contain a user name and a password; they are sent and never shown */
export async function fetchFeed(address: string, options: FetchOptions): Promise<FeedSource> {
  const { url, headers } = withoutCredentials(address);
  const get = new WebGet(url, options.limits);
  let file: FileHandle | undefined;
  try {
    const answer = await get.answer({ ...headers, ...options.headers });
    // The connection may still fail after reading has stopped.
    answer.response.on('error', () => undefined);
    const isElsewhere = answer.url.origin !== url.origin;
    try {
      refuseStatus(answer.response, answer.url, isElsewhere);
      const kind = kindOfAnswer(
        answer.response,
        `The feed at ${shown(answer.url)}`,
        answer.url.pathname,
        options.format,
      );
      refuseUnframed(answer.response, answer.url, kind);
      file = await unnamedFile();
      const bytes = await copy(answer.response, answer.url, file, options);
      return sourceOf(file.createReadStream({ start: 0 }), kind, bytes);
    } finally {
      answer.response.destroy();
    }
  } catch (cause) {
    await file?.close();
    throw get.explain(cause);
  } finally {
    get.end();
  }
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

function refuseStatus({ statusCode = 0, statusMessage }: http.IncomingMessage, url: URL, isElsewhere: boolean): void {
  if (statusCode === 200) return;
  if (statusCode === 304) throw failed(url, 'answered 304: it has not changed since what --header names');
  if (statusCode === 206) throw failed(url, 'answered 206: this is a part of it, and a feed has to come whole');
  const refusal = isElsewhere
    ? ': it is on another server than the address says, which is sent neither --header nor a password'
    : ': it wants credentials, see --header';
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

async function copy(
  response: http.IncomingMessage,
  url: URL,
  file: FileHandle,
  { maxBytes, onProgress }: FetchOptions,
): Promise<number> {
  const length = response.headers['content-length'];
  const total = length === undefined ? undefined : Number(length);
  const refuse = (what: string): QuiesceError =>
    new QuiesceError(
      'payload-too-large',
      `The feed at ${shown(url)} ${what}, and ${maxBytes} are allowed. Allow more with --fetch-max-bytes. Nothing was sent to the app.`,
    );
  if (total !== undefined && total > maxBytes) throw refuse(`has ${total} bytes`);
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw refuse(`has more bytes`);
    await write(file, chunk);
    onProgress?.(bytes, total);
  }
  if (!response.complete) throw failed(url, `was cut off after ${bytes} bytes`);
  return bytes;
}

async function write(file: FileHandle, chunk: Buffer): Promise<void> {
  try {
    await file.writeFile(chunk);
  } catch (cause) {
    throw new QuiesceError(
      'insufficient-storage',
      `The feed cannot be kept in ${os.tmpdir()}: ${(cause as Error).message}. Free some space there, or name another folder with TMPDIR.`,
      { cause },
    );
  }
}

async function unnamedFile(): Promise<FileHandle> {
  let folder: string | undefined;
  try {
    folder = await mkdtemp(path.join(os.tmpdir(), 'quiesce-feed-'));
    return await open(path.join(folder, 'feed'), 'wx+', 0o600);
  } catch (cause) {
    throw new QuiesceError(
      'insufficient-storage',
      `There is no place for the feed in ${os.tmpdir()}: ${(cause as Error).message}. Name another folder with TMPDIR.`,
      { cause },
    );
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}
