/** What a source is called where hosts agree who fetches it. */
import { createHash } from 'node:crypto';
import type { FeedSourceSettings } from '../../config/values/source-members.ts';

/** Hashed: an address may hold a secret, and whoever can read the site document would see it. */
export function nameOf({ url, collection, scope }: FeedSourceSettings): string {
  const hash = createHash('sha256').update(JSON.stringify([url, collection, scope]));
  return `source ${hash.digest('hex').slice(0, 16)}`;
}
