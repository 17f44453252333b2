/** Writes BSON into a buffer that grows up to the largest document that MongoDB accepts. */
export const maxDocumentBytes = 16 * 1024 * 1024;

/** Thrown by {@link BsonOutput} if it would grow beyond its limit. */
export const tooLarge: Error = new Error('larger than a document may be');

export class BsonOutput {
  bytes: Buffer = Buffer.allocUnsafe(64 * 1024);
  at = 0;
  #limit: number;

  constructor(limit: number = maxDocumentBytes) {
    this.#limit = limit;
  }

  /**
   * Makes room for `count` more bytes. The buffer may exceed the limit by 64 bytes; the owner checks the final size.
   */
  ensure(count: number): void {
    const needed = this.at + count;
    if (needed <= this.bytes.length) return;
    if (needed > this.#limit + 64) throw tooLarge;
    const bytes = Buffer.allocUnsafe(Math.min(this.#limit + 64, Math.max(needed, this.bytes.length * 2)));
    this.bytes.copy(bytes, 0, 0, this.at);
    this.bytes = bytes;
  }

  byte(value: number): void {
    this.ensure(1);
    this.bytes[this.at++] = value;
  }

  int32(value: number): void {
    this.ensure(4);
    this.setInt32(this.at, value);
    this.at += 4;
  }

  setInt32(at: number, value: number): void {
    const { bytes } = this;
    bytes[at] = value;
    bytes[at + 1] = value >> 8;
    bytes[at + 2] = value >> 16;
    bytes[at + 3] = value >> 24;
  }

  double(value: number): void {
    this.ensure(8);
    this.at = this.bytes.writeDoubleLE(value, this.at);
  }

  int64(value: bigint): void {
    this.ensure(8);
    this.at = this.bytes.writeBigInt64LE(value, this.at);
  }

  copy(from: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.ensure(length);
    if (length < 32) {
      const { bytes } = this;
      for (let i = 0, to = this.at; i < length; i++) bytes[to + i] = from[start + i]!;
    } else {
      this.bytes.set(from.subarray(start, end), this.at);
    }
    this.at += length;
  }

  /** Writes the name of an array element. */
  index(value: number): void {
    if (value < 10) {
      this.ensure(2);
      this.bytes[this.at++] = 0x30 + value;
    } else {
      const digits = String(value);
      this.ensure(digits.length + 1);
      for (let i = 0; i < digits.length; i++) this.bytes[this.at++] = digits.charCodeAt(i);
    }
    this.bytes[this.at++] = 0;
  }

  /** Reserves space for a length; {@link BsonOutput.endLength} writes it. */
  startLength(): number {
    const at = this.at;
    this.ensure(4);
    this.at += 4;
    return at;
  }

  /** `extra` is added to the number of bytes from `at` on: -4 for a string, whose length does not include itself. */
  endLength(at: number, extra = 0): void {
    this.setInt32(at, this.at - at + extra);
  }
}
