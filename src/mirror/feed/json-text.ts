/** A stretch of JSON text that is being read, and the two ways in which it can be wrong. */
import { isUtf8 } from 'node:buffer';
import { QuiesceError } from '../../errors.ts';

/** Thrown where an item is well-formed but cannot be mirrored; {@link JsonText.refusal} says why. One object: feeds can hold millions. */
export const refused: Error = new Error('the item is refused');

export class JsonText {
  bytes: Uint8Array = new Uint8Array();
  pos = 0;
  end = 0;
  /** Where in the decoded feed `bytes[0]` lies. */
  base = 0;
  refusal = '';

  /** The text is no JSON: the feed as a whole is refused. */
  malformed(what: string, at: number = this.pos): never {
    throw malformedJson(`${what} at byte ${this.base + at}`, this.base + at);
  }

  /** Text is decoded without a look at whether it can be. */
  requireUtf8(): void {
    const { bytes, pos, end } = this;
    if (!isUtf8(bytes.subarray(pos, end))) this.malformed('bytes that are no UTF-8 in the item', pos);
  }

  /** The text is JSON, but no item that can be mirrored. */
  refuse(why: string): never {
    this.refusal = why;
    throw refused;
  }

  /** Moves to the next byte that is no whitespace, and returns it; -1 at the end. */
  skipSpace(): number {
    const { bytes, end } = this;
    let { pos } = this;
    while (pos < end && isSpace(bytes[pos]!)) pos++;
    this.pos = pos;
    return pos < end ? bytes[pos]! : -1;
  }
}

/** RFC 8259, section 2. */
export function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

export function malformedJson(what: string, position: number): QuiesceError {
  return new QuiesceError('malformed-json', `The feed is not well-formed: ${what}.`, { extra: { position } });
}

/** A byte as an error message shows it. */
export function showByte(byte: number): string {
  return byte > 0x20 && byte < 0x7f ? `“${String.fromCharCode(byte)}”` : `byte 0x${byte.toString(16).padStart(2, '0')}`;
}
