/** Reads and checks the headers of a `PUT /api/sync`, before anything is claimed or read. */
import type { IncomingMessage } from 'node:http';
import zlib from 'node:zlib';
import contentType from 'content-type';
import { parseDictionary } from 'structured-headers';
import { QuiesceError } from '../../errors.ts';
import type { FeedCoding, FeedFormat } from '../../protocol/workers/mirror-job.ts';

export interface FeedHeaders {
  readonly format: FeedFormat;
  readonly coding: FeedCoding;
  /** The sha-256 that the body must have, base64; null if none was sent. */
  readonly sha256: string | null;
  /** RFC 7240. */
  readonly prefer: { readonly respondAsync: boolean; readonly representation: boolean | null };
}

/** The registered or usual names; {@link otherNames} are further names that senders use for the same formats. */
const formats: Readonly<Record<string, FeedFormat>> = {
  'application/json': 'json',
  'application/x-ndjson': 'ndjson',
};
const otherNames: Readonly<Record<string, FeedFormat>> = {
  'text/json': 'json',
  'application/ndjson': 'ndjson',
  'application/jsonl': 'ndjson',
  'application/x-jsonl': 'ndjson',
  'application/jsonlines': 'ndjson',
  'application/x-jsonlines': 'ndjson',
};

/** `zstd` only if this Node version has it (22.15, 23.8). */
const codings: readonly FeedCoding[] = ['gzip', 'br', ...('createZstdDecompress' in zlib ? (['zstd'] as const) : [])];

/** For the `Accept` and `Accept-Encoding` of a 415 (RFC 9110, sections 12.5.1 and 12.5.3). */
export const accepted: Readonly<Record<string, string>> = {
  Accept: Object.keys(formats).join(', '),
  'Accept-Encoding': codings.join(', '),
};

/** @throws QuiesceError `unsupported-media-type`, `payload-too-large`, `digest-mismatch` (malformed) or `bad-request` */
export function readFeedHeaders(req: IncomingMessage, maxBytes: number): FeedHeaders {
  refusePart(req.headers['content-range']);
  const length = Number(req.headers['content-length'] ?? 0);
  if (length > maxBytes) throw tooLarge(maxBytes, `it says it has ${length}`);
  return {
    format: readFormat(req),
    coding: readCoding(req),
    sha256: readDigest(req.headers['content-digest']),
    prefer: readPrefer(req.headers.prefer),
  };
}

/** RFC 9110, section 14.5. A part that is taken for the whole feed would delete the rest. */
function refusePart(range: string | string[] | undefined): void {
  if (range === undefined) return;
  throw new QuiesceError(
    'bad-request',
    `A feed has to come whole, and this is a part of one: Content-Range is ${JSON.stringify(range)}. Send it again from its beginning; a client that goes on where it was cut off, such as curl -C, must not.`,
  );
}

export function tooLarge(maxBytes: number, found: string): QuiesceError {
  return new QuiesceError(
    'payload-too-large',
    `A feed may have ${maxBytes} bytes, and ${found}. Raise sync.max_bytes or send less.`,
  );
}

function readFormat(req: IncomingMessage): FeedFormat {
  const header = req.headers['content-type'];
  let type: string | undefined;
  let charset: string | undefined;
  try {
    const parsed = contentType.parse(header ?? '');
    type = parsed.type;
    charset = parsed.parameters['charset'];
  } catch {
    // A header that cannot be parsed names no type that we know.
  }
  const format = type === undefined ? undefined : formatOf(type);
  if (format === undefined || (charset !== undefined && !/^utf-?8$/i.test(charset))) {
    throw new QuiesceError(
      'unsupported-media-type',
      `A feed is ${Object.keys(formats).join(' or ')} in UTF-8, not ${JSON.stringify(header ?? 'nothing')}.`,
    );
  }
  return format;
}

function formatOf(type: string): FeedFormat | undefined {
  // RFC 6839, section 3.1, and RFC 8259: a `+json` type such as application/geo+json is read as JSON.
  return formats[type] ?? otherNames[type] ?? (type.endsWith('+json') ? 'json' : undefined);
}

function readCoding(req: IncomingMessage): FeedCoding {
  const header = String(req.headers['content-encoding'] ?? '')
    .trim()
    .toLowerCase();
  if (header === '' || header === 'identity') return 'identity';
  const coding = codings.find((known) => known === header.replace(/^x-gzip$/, 'gzip'));
  if (coding === undefined) {
    throw new QuiesceError(
      'unsupported-media-type',
      `The content coding ${JSON.stringify(header)} is not supported here; ${codings.join(', ')} are.`,
    );
  }
  return coding;
}

/** RFC 9530: a dictionary of byte sequences. Unknown algorithms are ignored, as the RFC requires. */
function readDigest(header: string | string[] | undefined): string | null {
  if (header === undefined) return null;
  const text = Array.isArray(header) ? header.join(', ') : header;
  let value: unknown;
  try {
    value = parseDictionary(text).get('sha-256')?.[0];
  } catch (cause) {
    throw malformedDigest(text, cause);
  }
  if (value === undefined) return null;
  if (value instanceof ArrayBuffer && value.byteLength === 32) return Buffer.from(value).toString('base64');
  throw malformedDigest(text);
}

function malformedDigest(text: string, cause?: unknown): QuiesceError {
  return new QuiesceError(
    'digest-mismatch',
    `Content-Digest must look like sha-256=:<base64 of 32 bytes>: (RFC 9530), not ${JSON.stringify(text)}.`,
    { cause },
  );
}

function readPrefer(header: string | string[] | undefined): FeedHeaders['prefer'] {
  const text = Array.isArray(header) ? header.join(', ') : (header ?? '');
  const wishes = text.split(',').map((wish) => wish.split(';', 1)[0]!.replace(/[\s"]/g, '').toLowerCase());
  const returned = wishes.find((wish) => wish.startsWith('return='));
  return {
    respondAsync: wishes.includes('respond-async'),
    representation: returned === 'return=representation' ? true : returned === 'return=minimal' ? false : null,
  };
}
