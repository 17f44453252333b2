/** What `quiesce sync` sends: a file or standard input, and the headers that go with it. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { QuiesceError } from '../errors.ts';

export interface FeedSource {
  readonly stream: Readable;
  /** Unknown for standard input. */
  readonly bytes: number | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

const codings: Readonly<Record<string, string>> = { '.gz': 'gzip', '.br': 'br', '.zst': 'zstd' };

export async function openFeed(feed: string, ndjson: boolean): Promise<FeedSource> {
  const coding = codings[path.extname(feed)];
  const plain = coding === undefined ? feed : feed.slice(0, -path.extname(feed).length);
  const lines = ndjson || /\.(ndjson|jsonl)$/.test(plain);
  const headers = {
    'Content-Type': lines ? 'application/x-ndjson' : 'application/json',
    ...(coding === undefined ? {} : { 'Content-Encoding': coding }),
  };
  if (feed === '-') return { stream: process.stdin, bytes: undefined, headers };
  try {
    const found = await stat(feed);
    if (found.isDirectory()) throw new Error('it is a folder');
    const stream = createReadStream(feed);
    await new Promise<void>((resolve, reject) => {
      stream.once('open', () => resolve());
      stream.once('error', reject);
    });
    // A pipe or a device has no size of its own.
    if (!found.isFile()) return { stream, bytes: undefined, headers };
    return { stream, bytes: found.size, headers: { ...headers, 'Content-Length': String(found.size) } };
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new QuiesceError(
      'bad-usage',
      `The feed ${feed} cannot be read: ${code === 'ENOENT' ? 'there is no such file' : message}.`,
      { cause },
    );
  }
}
