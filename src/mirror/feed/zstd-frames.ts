/**
 * Walks the frames of a zstd file without decoding them (RFC 8878, section 3.1). Node 22 accepts a frame that is cut
 * off as complete. Half of a feed would then count as the feed, and the missing documents would be deleted.
 *
 * States: magic → (frame: descriptor → block … last block | skippable frame: length) → magic. The file may end at a magic.
 */

type State = 'magic' | 'length' | 'descriptor' | 'block';

const sizes: Readonly<Record<State, number>> = { magic: 4, length: 4, descriptor: 1, block: 3 };
/** A limit: if Node stops at the end of a frame, each frame needs its own decoder. */
const mostFrames = 100_000;

export class ZstdFrames {
  #state: State = 'magic';
  /** How many bytes to skip. */
  #skip = 0;
  /** The bytes read so far in the current state, little-endian. */
  #value = 0;
  #have = 0;
  #hasChecksum = false;
  #count = 0;

  /** Returns a fault, or null. */
  push(chunk: Uint8Array): string | null {
    for (let at = 0; at < chunk.length;) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, chunk.length - at);
        at += skipped;
        this.#skip -= skipped;
        continue;
      }
      this.#value += chunk[at++]! * 2 ** (8 * this.#have++);
      if (this.#have < sizes[this.#state]) continue;
      const fault = this.#read(this.#value);
      if (fault !== null) return fault;
      this.#have = 0;
      this.#value = 0;
    }
    return null;
  }

  get isWhole(): boolean {
    return this.#state === 'magic' && this.#have === 0 && this.#skip === 0;
  }

  #read(value: number): string | null {
    switch (this.#state) {
      case 'magic':
        if (++this.#count > mostFrames) return `it has more than ${mostFrames} frames`;
        if (value === 0xfd2fb528) this.#state = 'descriptor';
        else if (value >>> 4 === 0x184d2a5) this.#state = 'length';
        else return this.#count === 1 ? 'it is none' : 'something else follows its end';
        return null;
      case 'length':
        this.#skip = value;
        this.#state = 'magic';
        return null;
      case 'descriptor':
        this.#skip = headerSize(value);
        this.#hasChecksum = (value & 4) !== 0;
        this.#state = 'block';
        return null;
      case 'block': {
        const type = (value >> 1) & 3;
        if (type === 3) return 'a block has a reserved type';
        this.#skip = type === 1 ? 1 : value >>> 3;
        if ((value & 1) === 0) return null;
        if (this.#hasChecksum) this.#skip += 4;
        this.#state = 'magic';
        return null;
      }
    }
  }
}

/** The size of the fields after the descriptor: the window, the dictionary's id, the content's size. */
function headerSize(descriptor: number): number {
  const isSingle = (descriptor & 0x20) !== 0;
  const window = isSingle ? 0 : 1;
  const dictionary = [0, 1, 2, 4][descriptor & 3]!;
  const content = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  return window + dictionary + content;
}
