/** Converts CSV with a header to NDJSON: each row becomes an object of strings. It stops at the first fault. */
import { PassThrough, pipeline, Transform, type Readable } from 'node:stream';
import zlib from 'node:zlib';
import { CsvError, parse } from 'csv-parse';
import { QuiesceError } from '../errors.ts';

/** The longest row, bytes. A longer row means that a closing quote is missing. */
const longestRow = 16 * 1024 ** 2;

/** @param coding the content coding of `csv` */
export function csvToLines(csv: Readable, coding: string | undefined): Readable {
  let isNamed = false;
  const columns = (names: string[]): string[] => {
    isNamed = true;
    return namesOf(names);
  };
  const rows = parse({ columns, bom: true, skip_empty_lines: true, info: true, max_record_size: longestRow });
  const lines = new Transform({
    writableObjectMode: true,
    transform(row: { record: Record<string, string> }, _encoding, next) {
      next(null, `${JSON.stringify(row.record)}\n`);
    },
    // Without rows, it is an empty feed; without a header, it is not a feed.
    flush(next) {
      next(isNamed ? null : malformed('it is empty, without a header'));
    },
  });
  // `pipeline` alone would end `lines` with the parser's own error; the reader gets the explained error.
  const failed = (cause: Error): void => void lines.destroy(explain(cause));
  rows.once('error', failed);
  pipeline(csv, decoder(coding), rows, (error) => {
    if (error) failed(error);
  });
  // If the app refuses the feed, it stops reading: close the source too.
  lines.once('close', () => csv.destroy());
  return rows.pipe(lines);
}

function namesOf(names: string[]): string[] {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw malformed(`line 1: two columns have the name ${JSON.stringify(twice)}`);
  const empty = names.indexOf('');
  if (empty !== -1) throw malformed(`line 1: column ${empty + 1} has no name`);
  return names;
}

function decoder(coding: string | undefined): Transform {
  if (coding === 'gzip') return zlib.createGunzip();
  if (coding === 'br') return zlib.createBrotliDecompress();
  if (coding === undefined) return new PassThrough();
  throw new QuiesceError('unsupported-media-type', `CSV can be plain, gzip or br, not ${coding}.`);
}

function explain(cause: Error): QuiesceError {
  if (cause instanceof QuiesceError) return cause;
  if (cause instanceof CsvError) return malformed(`line ${String(cause['lines'])}: ${cause.message}`, cause);
  return malformed(cause.message, cause);
}

function malformed(what: string, cause?: unknown): QuiesceError {
  return new QuiesceError('invalid-feed', `The CSV cannot be read: ${what}. Nothing was changed.`, { cause });
}
