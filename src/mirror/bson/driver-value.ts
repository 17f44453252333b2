/**
 * Turns BSON into values that the driver serializes to the same bytes. Objects become maps: the driver gives a member
 * `_bsontype` of an object a special meaning, and JavaScript moves names that look like integers to the front.
 */
import { BSON } from 'mongodb';
import { bsonType, Elements, type Place } from './elements.ts';

/** Returns all members of the document that starts at `at`. */
export function driverDocument(bytes: Uint8Array, at: number): Map<string, unknown> {
  const members = new Map<string, unknown>();
  const elements = new Elements(bytes, at);
  while (elements.next()) members.set(nameOf(elements), driverValue(elements));
  return members;
}

export function driverValue({ bytes, type, value, start, end }: Place): unknown {
  if (type === bsonType.object) return driverDocument(bytes, value);
  if (type === bsonType.array) return [...driverDocument(bytes, value).values()];
  const alone = Buffer.alloc(4 + (end - start) + 1);
  alone.writeInt32LE(alone.length, 0);
  alone.set(bytes.subarray(start, end), 4);
  return Object.values(BSON.deserialize(alone, { promoteValues: false, promoteLongs: false, bsonRegExp: true }))[0];
}

function nameOf({ bytes, name, nameEnd }: Elements): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + name, nameEnd - name).toString('utf8');
}
