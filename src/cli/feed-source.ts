/** What `quiesce sync` sends: a file, standard input or what an address has, and the headers that go with it. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { headersOf, kindByName } from './feed-kind.ts';
import { fetchFeed, type FetchOptions } from './fetch-feed.ts';
import { QuiesceError } from '../errors.ts';

export interface FeedSource {
  readonly stream: Readable;
  /** Unknown for standard input. */
  readonly bytes: number | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

export async function openFeed(feed: string, ndjson: boolean, fetching: FetchOptions): Promise<FeedSource> {
  if (/^https?:/i.test(feed)) return fetchFeed(feed, { ...fetching, format: ndjson ? 'ndjson' : undefined });
  const [scheme] = /^[a-z][a-z\d+.-]*:\/\//i.exec(feed) ?? [];
  if (scheme !== undefined)
    throw new QuiesceError('bad-usage', `A feed cannot be fetched by ${scheme}; http:// and https:// are possible.`);
  if (Object.keys(fetching.headers ?? {}).length > 0)
    throw new QuiesceError('bad-usage', `--header is for a feed that is fetched, and ${feed} is not.`);
  const named = kindByName(feed);
  const headers = headersOf({ ...named, format: ndjson ? 'ndjson' : (named.format ?? 'json') });
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
