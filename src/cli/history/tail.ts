/** Reads the last lines of a growing file and follows it through rotations. */
import { watch } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';

const block = 64 * 1024;
/** Some file systems do not report changes, so the file is also checked this often, ms. */
const pollInterval = 500;

/** Returns the offset at which the last `lines` lines start. */
export async function lastLines(file: FileHandle, lines: number): Promise<number> {
  const { size } = await file.stat();
  const buffer = Buffer.alloc(block);
  let found = 0;
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - block);
    const { bytesRead } = await file.read(buffer, 0, end - start, start);
    for (let index = bytesRead - 1; index >= 0; index -= 1) {
      // The newline at the end of the file ends the last line and does not start a new one.
      if (buffer[index] !== 0x0a || start + index === size - 1) continue;
      found += 1;
      if (found === lines) return start + index + 1;
    }
    end = start;
  }
  return 0;
}

/** Yields the last `lines` lines of `name` and, with `follow`, everything that is added later, without end. */
export async function* tail(
  name: string,
  { lines, follow }: { lines: number; follow: boolean },
): AsyncGenerator<Buffer> {
  let file = await open(name);
  try {
    let offset = lines === 0 ? (await file.stat()).size : await lastLines(file, lines);
    const news = follow ? new News(name) : undefined;
    try {
      for (;;) {
        // Requested before the read, so that a write during the read wakes it.
        const changed = news?.next();
        for await (const chunk of rest(file, offset)) {
          offset += chunk.length;
          yield chunk;
        }
        if (changed === undefined) return;
        const now = await stat(name).catch(() => undefined);
        const own = await file.stat();
        if (now !== undefined && now.ino !== own.ino) {
          // The file was rotated. First read the last data of the old file.
          for await (const chunk of rest(file, offset)) yield chunk;
          await file.close();
          file = await open(name);
          offset = 0;
        } else if (own.size < offset) offset = 0;
        else await changed;
      }
    } finally {
      news?.close();
    }
  } finally {
    await file.close();
  }
}

async function* rest(file: FileHandle, from: number): AsyncGenerator<Buffer> {
  for (let offset = from; ;) {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(block), 0, block, offset);
    if (bytesRead === 0) return;
    offset += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Wakes at each change of the folder, and at the poll interval. */
class News {
  readonly #watcher;
  #wake: () => void = () => undefined;

  constructor(name: string) {
    this.#watcher = watch(path.dirname(name), () => this.#wake());
    this.#watcher.on('error', () => undefined);
  }

  next(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake(), pollInterval);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  close(): void {
    this.#wake();
    this.#watcher.close();
  }
}
