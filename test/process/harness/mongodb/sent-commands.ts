/** Reads the commands that a driver sends, from the bytes of its connections (OP_MSG of MongoDB's wire protocol). */
import { BSON, type Document } from 'mongodb';

const headerBytes = 16;
const opMsg = 2013;

export class SentCommands {
  /** In the order in which they were sent; documents that follow the body of a command are left out. */
  readonly list: Document[] = [];
  readonly #rest = new WeakMap<object, Buffer>();

  readonly take = (connection: object, chunk: Buffer): void => {
    let bytes = Buffer.concat([this.#rest.get(connection) ?? Buffer.alloc(0), chunk]);
    while (bytes.length >= headerBytes && bytes.length >= bytes.readInt32LE(0)) {
      const length = bytes.readInt32LE(0);
      if (bytes.readInt32LE(12) === opMsg) this.list.push(bodyOf(bytes.subarray(headerBytes, length)));
      bytes = bytes.subarray(length);
    }
    this.#rest.set(connection, bytes);
  };
}

/** Behind four bytes of flags stand sections: of kind 0, the body, or of kind 1, a list of documents with its length. */
function bodyOf(message: Buffer): Document {
  let at = 4;
  while (message[at] === 1) at += 1 + message.readInt32LE(at + 1);
  return BSON.deserialize(message.subarray(at + 1, at + 1 + message.readInt32LE(at + 1)));
}
