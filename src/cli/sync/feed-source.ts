/** Opens the feed for `quiesce sync`: a file, standard input or a web address, with the headers to send. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { kindByName, sourceOf, type FeedFormat, type FeedSource } from '../../fetch/feed-kind.ts';
import type { FetchOptions } from '../../fetch/fetch-feed.ts';
import { fetchFeed } from '../../fetch/kept-feed.ts';
import { QuiesceError } from '../../errors.ts';

export async function openFeed(
  feed: string,
  given: FeedFormat | undefined,
  fetching: FetchOptions,
): Promise<FeedSource> {
  if (/^https?:/i.test(feed)) return fetchFeed(feed, { ...fetching, format: given });
  const [scheme] = /^[a-z][a-z\d+.-]*:\/\//i.exec(feed) ?? [];
  if (scheme !== undefined)
    throw new QuiesceError('bad-usage', `A feed cannot be fetched by ${scheme}; http:// and https:// are possible.`);
  if (Object.keys(fetching.headers ?? {}).length > 0)
    throw new QuiesceError('bad-usage', `--header is for a feed that is fetched, and ${feed} is not.`);
  const named = kindByName(feed);
  const kind = { ...named, format: given ?? named.format ?? 'json' };
  if (feed === '-') return sourceOf(process.stdin, kind, undefined);
  try {
    const found = await stat(feed);
    if (found.isDirectory()) throw new Error('it is a folder');
    const stream = createReadStream(feed);
    await new Promise<void>((resolve, reject) => {
      stream.once('open', () => resolve());
      stream.once('error', reject);
    });
    // A pipe or a device has no size.
    return sourceOf(stream, kind, found.isFile() ? found.size : undefined);
  } catch (cause) {
    if (cause instanceof QuiesceError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new QuiesceError(
      'bad-usage',
      `The feed ${feed} cannot be read: ${code === 'ENOENT' ? 'there is no such file' : message}.`,
      { cause },
    );
  }
}
