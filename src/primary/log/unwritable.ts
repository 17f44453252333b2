/** Reports what cannot be written on stderr, which may be the only output left. */
import { writeSync } from 'node:fs';

export function tellOnStderr(what: string, error: unknown): void {
  const why = error instanceof Error ? error.message : String(error);
  sayOnStderr(`${what} cannot be written: ${why}. It is tried again; meanwhile nothing else stops.`);
}

export function sayOnStderr(text: string): void {
  try {
    writeSync(2, `${text}\n`);
  } catch {
    // stderr may be on the same full disk.
  }
}
