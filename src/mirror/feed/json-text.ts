/** A range of JSON text to read, and its two kinds of errors: malformed (not JSON) and refused (cannot be mirrored). */
import { isUtf8 } from 'node:buffer';
import { QuiesceError } from '../../errors.ts';

/**
 * Thrown if an item is well-formed but cannot be mirrored; {@link JsonText.refusal} has the reason. It is one object,
 * since a feed can have millions of such items.
 */
export const refused: Error = new Error('the item is refused');

export class JsonText {
  bytes: Uint8Array = new Uint8Array();
  pos = 0;
  end = 0;
  /** The position of `bytes[0]` in the decoded feed. */
  base = 0;
  refusal = '';

  /** The text is not JSON: refuses the whole feed. */
  malformed(what: string, at: number = this.pos): never {
    throw malformedAt(what, this.base + at);
  }

  /** A byte that may not be here. */
  misplaced(byte: number, where: string): never {
    throw misplaced(byte, where, this.base + this.pos);
  }

  /** Not the byte, or -1 at the end, that has to follow in an object or an array. */
  unexpected(byte: number, inside: 'object' | 'array', where: string): never {
    if (byte === -1) this.unended(inside);
    this.misplaced(byte, where);
  }

  unended(what: 'object' | 'array'): never {
    this.malformed(`an ${what} that does not end`);
  }

  /** Checks that the text is UTF-8: the readers decode it without a check. */
  requireUtf8(): void {
    const { bytes, pos, end } = this;
    if (!isUtf8(bytes.subarray(pos, end))) this.malformed('bytes that are no UTF-8 in the item', pos);
  }

  /** The text is JSON but cannot be mirrored: refuses this item. */
  refuse(why: string): never {
    this.refusal = why;
    throw refused;
  }

  /** Moves to the next byte that is not whitespace and returns it; -1 at the end. */
  skipSpace(): number {
    const { bytes, end } = this;
    let { pos } = this;
    while (pos < end && isSpace(bytes[pos]!)) pos++;
    this.pos = pos;
    return pos < end ? bytes[pos]! : -1;
  }
}

/** Whether the byte is JSON whitespace: RFC 8259, section 2. */
export function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

export function malformedJson(what: string, position: number): QuiesceError {
  return new QuiesceError('malformed-json', `The feed is not well-formed: ${what}.`, { extra: { position } });
}

/** @param position in the decoded feed */
export function malformedAt(what: string, position: number): QuiesceError {
  return malformedJson(`${what} at byte ${position}`, position);
}

/** The error for a byte that may not be there. */
export function misplaced(byte: number, where: string, position: number): QuiesceError {
  return malformedAt(`${showByte(byte)} ${where},`, position);
}

/** Formats a byte for an error message. */
export function showByte(byte: number): string {
  return byte > 0x20 && byte < 0x7f ? `“${String.fromCharCode(byte)}”` : `byte 0x${byte.toString(16).padStart(2, '0')}`;
}
