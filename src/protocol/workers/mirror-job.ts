/** The data that a worker gives the primary for a mirror run. */
import * as z from '../../vendor/zod.ts';
import { share } from '../feed/max-deletes.ts';
import { strategies } from '../words.ts';

/** At most this many deletions: a number of documents, or a share of the collection such as `'50%'`. */
export const maxDeletes = z.union([z.int().nonnegative(), z.string().regex(share)]);

export const mirrorOptions = z.strictObject({
  /** The collection that becomes equal to the feed. */
  collection: z.string().min(1),
  /** The member of each item that identifies it, by a path, or several of them; stored as `_id`. Default `id`. */
  key: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).default('id'),
  /** The database. Default: `mongodb.db` of the configuration, then the one in the connection string. */
  db: z.string().min(1).optional(),
  /** Limits the mirror to the documents with these members, which are written into each item. */
  scope: z.record(z.string(), z.unknown()).optional(),
  /** Reads MongoDB Extended JSON v2 (`{"$date": …}`) as typed values; refuses inexact ones. Default false. */
  extendedJson: z.boolean().default(false),
  /** The top-level members that the app owns, and a run keeps. Default: none. */
  keep: z.array(z.string().min(1)).optional(),
  /** False: documents that the feed does not have stay. Default true. */
  deletes: z.boolean().optional(),
  /** Refuses a feed that would delete more, unless the request gives another number. Default: `sync.max_deletes`. */
  maxDeletes: maxDeletes.optional(),
});
/** With the defaults. */
export type CompleteMirrorOptions = z.output<typeof mirrorOptions>;

/** What was set when the feed was accepted: another host, or a later primary, may be set otherwise. */
export const acceptedSettings = z.object({
  strategy: z.enum(['auto', ...strategies]),
  atomic: z.union([z.boolean(), z.literal('auto')]),
  maxBytes: z.number(),
  conflictTimeout: z.number(),
  databaseTimeout: z.number(),
});
export type AcceptedSettings = z.infer<typeof acceptedSettings>;

export const feedFormat = z.enum(['json', 'ndjson']);
export type FeedFormat = z.infer<typeof feedFormat>;
export const feedCoding = z.enum(['identity', 'gzip', 'br', 'zstd']);
export type FeedCoding = z.infer<typeof feedCoding>;

/** A body that is complete in a spool file, untouched as it came. */
export const spooledFeed = z.object({
  path: z.string(),
  bytes: z.int().nonnegative(),
  /** `sha-256` of the bytes as they came (RFC 9530), base64. */
  digest: z.string(),
  format: feedFormat,
  coding: feedCoding,
  /** The JSON Pointer to the array of items in a JSON feed. Default: the feed is the array. */
  items: z.string().optional(),
  /** How long the upload took, ms. */
  uploadMs: z.number().nonnegative(),
  /** How long `transform` and `validate` took, ms. */
  itemsMs: z.number().nonnegative().optional(),
});
export type SpooledFeed = z.infer<typeof spooledFeed>;
