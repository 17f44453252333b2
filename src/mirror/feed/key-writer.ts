/** Writes the key of an item as the first element of its document, `_id`. */
import { pointerTo } from '../../protocol/feed/json-pointer.ts';
import { keyPaths, plainKey, type MirrorKey } from '../../protocol/feed/mirror-key.ts';
import { bsonType, Elements } from '../bson/elements.ts';
import type { BsonOutput } from '../bson/output.ts';

interface Part {
  readonly name: string;
  readonly path: readonly Buffer[];
  /** RFC 6901 */
  readonly pointer: string;
  /** The name of the element that has the value, with its NUL. */
  readonly as: Buffer;
}

/** Throws. `pointer`: the place of the fault in the item. */
export type Refuse = (detail: string, pointer?: string) => never;
/** Returns why the value cannot be a key, or null. */
export type Judge = (bytes: Uint8Array, type: number, value: number) => string | null;

const idName = Buffer.from('_id\0');

export class KeyWriter {
  /** The name of the member that is stored as `_id` and nowhere else; null if the key stays where it is as well. */
  readonly moved: Buffer | null;
  readonly #parts: readonly Part[];
  readonly #isOne: boolean;
  readonly #found = new Elements(Buffer.alloc(5), 0);

  constructor(key: MirrorKey) {
    const plain = plainKey(key);
    this.moved = plain === null ? null : Buffer.from(plain);
    const paths = keyPaths(key);
    this.#parts = paths.map((names) => ({
      name: names.join('.'),
      path: names.map((name) => Buffer.from(name)),
      pointer: pointerTo(names),
      as: paths.length === 1 ? idName : Buffer.from(`${names.join('.')}\0`),
    }));
    this.#isOne = this.#parts.length === 1;
  }

  /** Writes the value at the path; for several, an object of them in the order of the key, by their names or paths. */
  write(bytes: Uint8Array, document: BsonOutput, judge: Judge, refuse: Refuse): void {
    if (this.#isOne) return this.#write(bytes, document, this.#parts[0]!, judge, refuse);
    document.byte(bsonType.object);
    document.copy(idName, 0, idName.length);
    const length = document.startLength();
    for (const part of this.#parts) this.#write(bytes, document, part, judge, refuse);
    document.byte(0);
    document.endLength(length);
  }

  #write(
    bytes: Uint8Array,
    document: BsonOutput,
    { name, path, pointer, as }: Part,
    judge: Judge,
    refuse: Refuse,
  ): void {
    const found = this.#found.reset(bytes, 0);
    for (const [depth, step] of path.entries()) {
      if (depth > 0) found.reset(bytes, found.value);
      const isHere = found.find(step);
      if (!isHere || (depth < path.length - 1 && found.type !== bsonType.object))
        refuse(`the key “${name}” is missing`);
    }
    const fault = judge(bytes, found.type, found.value);
    if (fault !== null) refuse(`the key ${fault}`, pointer);
    document.byte(found.type);
    document.copy(as, 0, as.length);
    document.copy(bytes, found.value, found.end);
  }
}
