/** The kinds of values of the settings of a mirror. */
import { isPointer, itemsWords } from '../../protocol/feed/json-pointer.ts';
import { maxDeletesWords, parseMaxDeletes } from '../../protocol/feed/max-deletes.ts';
import { keyFault, type MirrorKey } from '../../protocol/feed/mirror-key.ts';
import { kind } from './kinds.ts';

export const deletions = kind(maxDeletesWords, (value) =>
  typeof value === 'number' || typeof value === 'string' ? parseMaxDeletes(String(value)) : undefined,
);

export const key = kind("a member, a path such as 'sku.id', or a list of them", (value): MirrorKey | undefined => {
  const isKey = typeof value === 'string' ? value !== '' : isNames(value) && value.length > 0;
  return isKey && keyFault(value as MirrorKey, [], []) === null ? (value as MirrorKey) : undefined;
});

export const members = kind("a list of top-level members, such as ['createdAt', '__v']", (value) =>
  isNames(value) && keyFault('_id', value, []) === null ? value : undefined,
);

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string' && each !== '');
}

export const pointer = kind(`${itemsWords}, or '' where the feed is the array`, (value) =>
  typeof value === 'string' && isPointer(value) ? value : undefined,
);
