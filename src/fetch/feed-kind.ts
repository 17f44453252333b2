/** Finds the format and the content coding of a feed, from its name and from the headers of a server. */
import path from 'node:path';
import type http from 'node:http';
import type { Readable } from 'node:stream';
import contentType from 'content-type';
import { csvToLines } from './csv-lines.ts';
import { QuiesceError } from '../errors.ts';
import type { FeedCoding } from '../protocol/workers/mirror-job.ts';

/** The formats of a feed. CSV is sent to the app as NDJSON. */
export type FeedFormat = 'json' | 'ndjson' | 'csv';

export interface FeedSource {
  readonly stream: Readable;
  /** Unknown for standard input, and for CSV. */
  readonly bytes: number | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** As the stream has it: CSV has become NDJSON. */
  readonly format: 'json' | 'ndjson';
  readonly coding: FeedCoding;
}

export interface FeedKind {
  readonly format: FeedFormat;
  readonly coding: FeedCoding | undefined;
}

/** Returns the stream and the headers to send to the app for a feed of this kind. */
export function sourceOf(stream: Readable, { format, coding }: FeedKind, bytes: number | undefined): FeedSource {
  if (format === 'csv') {
    return {
      stream: csvToLines(stream, coding),
      bytes: undefined,
      headers: { 'Content-Type': 'application/x-ndjson' },
      format: 'ndjson',
      coding: 'identity',
    };
  }
  const headers = {
    'Content-Type': format === 'json' ? 'application/json' : 'application/x-ndjson',
    ...(coding === undefined ? {} : { 'Content-Encoding': coding }),
    ...(bytes === undefined ? {} : { 'Content-Length': String(bytes) }),
  };
  return { stream, bytes, headers, format, coding: coding ?? 'identity' };
}

const codings: Readonly<Record<string, FeedCoding>> = { '.gz': 'gzip', '.br': 'br', '.zst': 'zstd' };
const formats: Readonly<Record<string, FeedFormat>> = {
  '.json': 'json',
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.csv': 'csv',
};

/** Finds the kind from the name. The format is undefined if the name does not show it. */
export function kindByName(name: string): { format: FeedFormat | undefined; coding: FeedCoding | undefined } {
  const coding = codings[path.extname(name)];
  const plain = coding === undefined ? name : name.slice(0, -path.extname(name).length);
  return { format: formats[path.extname(plain)], coding };
}

const sentCodings: Readonly<Record<string, FeedCoding>> = { gzip: 'gzip', 'x-gzip': 'gzip', br: 'br', zstd: 'zstd' };

/**
 * Finds the kind of an answer. The headers of the server come first; if its type can be any file, the name decides.
 * @param given the format from the command line, which wins over both
 * @throws QuiesceError `unsupported-media-type`
 */
export function kindOfAnswer(
  { headers }: http.IncomingMessage,
  where: string,
  pathname: string,
  given: FeedFormat | undefined,
): FeedKind {
  const refuse = (what: string): QuiesceError =>
    new QuiesceError('unsupported-media-type', `${where} ${what}. Nothing was sent to the app.`);
  const header = headers['content-type'] ?? '';
  let type = '';
  let charset: string | undefined;
  try {
    const parsed = contentType.parse(header);
    ({ type } = parsed);
    charset = parsed.parameters['charset'];
  } catch {
    // The header is missing or cannot be parsed: the name decides.
  }
  if (/^(text\/html|application\/xhtml\+xml)$/.test(type))
    throw refuse(`is a page of HTML and no feed. Is it a page to log in, or the wrong address?`);
  if (charset !== undefined && !/^(utf-?8|us-ascii)$/i.test(charset))
    throw refuse(`is in ${JSON.stringify(charset)}; a feed is in UTF-8`);
  const named = kindByName(pathname);
  const format = given ?? formatByType(type) ?? (isAnyFile(type) ? named.format : undefined);
  if (format === undefined)
    throw refuse(
      `is ${header === '' ? 'of no type' : JSON.stringify(header)}; a feed is JSON, NDJSON or CSV. Say which with --ndjson or --csv`,
    );
  const sent = headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (sent === '' || sent === 'identity') return { format, coding: named.coding };
  const coding = sentCodings[sent];
  if (coding === undefined) throw refuse(`has the content coding ${JSON.stringify(sent)}, which is not supported`);
  return { format, coding };
}

function formatByType(type: string): FeedFormat | undefined {
  if (/^(application|text)\/json$|\+json$/.test(type)) return 'json';
  if (/^(text|application)\/csv$/.test(type)) return 'csv';
  return /^application\/(x-)?(ndjson|jsonl|jsonlines)$/.test(type) ? 'ndjson' : undefined;
}

function isAnyFile(type: string): boolean {
  return /^($|text\/plain$|(application|binary)\/octet-stream$|application\/(x-)?(gzip|zstd|brotli)$)/.test(type);
}
