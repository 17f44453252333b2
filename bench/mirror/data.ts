/** The feed before and after a change, about 300 bytes an item, and the collection that holds the former. */
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import type { AnyBulkWriteOperation, Collection } from 'mongodb';

export interface Item {
  _id: number;
  name: string;
  tags: string[];
  price: number;
  nested: { stock: number; text: string };
  version: number;
}

const text = 'lorem ipsum dolor sit amet '.repeat(6);

export function item(id: number, version: number): Item {
  return {
    _id: id,
    name: `item ${id} of version ${version}`,
    tags: ['alpha', `group-${id % 100}`, `t${id % 7}`],
    price: id / 7,
    nested: { stock: id % 1000, text },
    version,
  };
}

/** Which of `size` items a run changes: 8 of 10 are updated, one is deleted, one more is inserted. */
export interface Change {
  readonly size: number;
  readonly count: number;
}

type Fate = 'same' | 'updated' | 'deleted';

function fateOf({ size, count }: Change, id: number): Fate {
  const nth = Math.floor((id * count) / size);
  if (count === 0 || Math.floor(((id + 1) * count) / size) === nth) return 'same';
  const kind = nth % 10;
  return kind === 8 ? 'deleted' : kind === 9 ? 'same' : 'updated';
}

/** The documents after the change. */
export function* after(change: Change): Generator<Item> {
  for (let id = 0; id < change.size; id++) {
    const fate = fateOf(change, id);
    if (fate !== 'deleted') yield item(id, fate === 'updated' ? 1 : 0);
  }
  for (let i = 0; i < Math.floor(change.count / 10); i++) yield item(change.size + i, 1);
}

/** Exactly the change, as an application would write it that knew it beforehand. */
export function operations(change: Change): AnyBulkWriteOperation<Item>[] {
  const result: AnyBulkWriteOperation<Item>[] = [];
  for (let id = 0; id < change.size; id++) {
    const fate = fateOf(change, id);
    if (fate === 'deleted') result.push({ deleteOne: { filter: { _id: id } } });
    else if (fate === 'updated') result.push({ replaceOne: { filter: { _id: id }, replacement: item(id, 1) } });
  }
  for (let i = 0; i < Math.floor(change.count / 10); i++) {
    result.push({ insertOne: { document: item(change.size + i, 1) } });
  }
  return result;
}

export async function writeFeed(path: string, change: Change): Promise<void> {
  const file = createWriteStream(path);
  let separator = '[';
  for (const document of after(change)) {
    const { _id: id, ...rest } = document;
    if (!file.write(`${separator}${JSON.stringify({ id, ...rest })}`)) await once(file, 'drain');
    separator = ',\n';
  }
  file.end(separator === '[' ? '[]' : ']');
  await once(file, 'finish');
}

/** Makes the collection what it was before the change, whatever it is now. */
export async function load(collection: Collection<Item>, size: number): Promise<void> {
  await collection.drop();
  for (let from = 0; from < size; from += 10_000) {
    await collection.insertMany(
      Array.from({ length: Math.min(10_000, size - from) }, (_, i) => item(from + i, 0)),
      {
        ordered: false,
      },
    );
  }
}

/** Undoes the change only, and the rest of the collection stays where it is; or all of it, where most has changed. */
export async function revert(collection: Collection<Item>, change: Change): Promise<void> {
  if (change.count > change.size / 2) return load(collection, change.size);
  const back: AnyBulkWriteOperation<Item>[] = [];
  for (let id = 0; id < change.size; id++) {
    if (fateOf(change, id) !== 'same')
      back.push({ replaceOne: { filter: { _id: id }, replacement: item(id, 0), upsert: true } });
  }
  for (let i = 0; i < Math.floor(change.count / 10); i++)
    back.push({ deleteOne: { filter: { _id: change.size + i } } });
  if (back.length > 0) await collection.bulkWrite(back, { ordered: false });
}
