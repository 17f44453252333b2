/** What a `PUT /api/sync` can say beside its body. */
import type { Parameter } from './operation.ts';

export const feedParameters: readonly Parameter[] = [
  {
    name: 'dryRun',
    in: 'query',
    description: '`true` tells what a run would change. Nothing is paused or written.',
    schema: { type: 'string', enum: ['true', 'false'] },
  },
  {
    name: 'Prefer',
    in: 'header',
    description: '`return=representation` asks for the report, `respond-async` for an answer before the run has ended.',
    schema: { type: 'string' },
  },
  {
    name: 'Content-Encoding',
    in: 'header',
    description: '`zstd` only where Node has it.',
    schema: { type: 'string', enum: ['identity', 'gzip', 'br', 'zstd'] },
  },
  {
    name: 'maxDeletes',
    in: 'query',
    description:
      'In place of `sync.max_deletes`: refuses a feed that would delete more, a number of documents or a share of them.',
    schema: { type: 'string', examples: ['500', '100%'] },
  },
  {
    name: 'items',
    in: 'query',
    description:
      'In place of `sync.items`, or of `items` of `mirror()`: where the array is in a JSON feed that is an object, a JSON Pointer (RFC 6901). Not used for NDJSON.',
    schema: { type: 'string', format: 'json-pointer', examples: ['/data/products'] },
  },
  {
    name: 'Content-Digest',
    in: 'header',
    description: 'RFC 9530. A `sha-256` is verified before anything is paused.',
    schema: { type: 'string' },
  },
  {
    name: 'Content-Range',
    in: 'header',
    description: 'Refused with 400: a feed has to come whole (RFC 9110, section 14.5).',
    schema: { type: 'string' },
  },
];
