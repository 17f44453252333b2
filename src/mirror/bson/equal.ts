/**
 * Compares two documents by value. The order of members does not count, unless `ordered`: a JSON object has no order
 * (RFC 8259, section 1), and rewriting documents because of it would make the pause longer without need. Numbers are
 * equal across int32, int64 and double; but -0 is not 0, and a decimal is not a double.
 */
import { bsonType, Elements, equalBytes } from './elements.ts';
import { doubleAt, isNumber, numberText } from './numbers.ts';

/** Compares the documents (or arrays) that start at `aAt` and `bAt`. */
export function equalDocuments(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, ordered: boolean): boolean {
  const left = new Elements(a, aAt);
  const right = new Elements(b, bAt);
  for (;;) {
    const more = left.next();
    if (more !== right.next()) return false;
    if (!more) return true;
    if (!equalBytes(a, left.name, left.nameEnd, b, right.name, right.nameEnd)) {
      return !ordered && equalUnordered(left, right);
    }
    if (!equalElements(left, right, ordered)) return false;
  }
}

/** Continues the comparison at the first name that differs. */
function equalUnordered(left: Elements, right: Elements): boolean {
  const rest = new Map<string, number>();
  do {
    const name = nameOf(right);
    if (rest.has(name)) return false; // no feed has the same name twice in one document
    rest.set(name, right.start);
  } while (right.next());
  const found = new Elements(right.bytes, 0);
  do {
    const start = rest.get(nameOf(left));
    if (start === undefined) return false;
    rest.delete(nameOf(left));
    found.end = start;
    found.next();
    if (!equalElements(left, found, false)) return false;
  } while (left.next());
  return rest.size === 0;
}

function nameOf({ bytes, name, nameEnd }: Elements): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + name, nameEnd - name).toString('latin1');
}

/** Compares the values of two elements and ignores their names. */
export function equalElements(left: Elements, right: Elements, ordered = false): boolean {
  const { bytes: a, type } = left;
  const { bytes: b } = right;
  if (type !== right.type) {
    if (!isNumber(type) || !isNumber(right.type)) return false;
    if (type === bsonType.decimal128 || right.type === bsonType.decimal128) return false;
    return (
      !isMinusZero(left) &&
      !isMinusZero(right) &&
      numberText(a, type, left.value) === numberText(b, right.type, right.value)
    );
  }
  if (type === bsonType.object || type === bsonType.array) {
    return equalDocuments(a, left.value, b, right.value, ordered); // an array's names are its indexes
  }
  return equalBytes(a, left.value, left.end, b, right.value, right.end);
}

function isMinusZero({ bytes, type, value }: Elements): boolean {
  return type === bsonType.double && Object.is(doubleAt(bytes, value), -0);
}
