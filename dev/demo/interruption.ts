/** What ends the demo early, so that it can put everything away first: a Ctrl-C, which under npm comes twice. */
import { setTimeout as delay } from 'node:timers/promises';

let happened = false;

export const interrupted = new Promise<void>((resolve) => {
  const interrupt = (): void => {
    happened = true;
    resolve();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt);
});

/** Whatever fails from then on fails because of it. */
export function wasInterrupted(): boolean {
  return happened;
}

/** @param within in ms; after that something hangs. Default: it may take as long as it likes. */
export async function orInterrupted<T>(work: Promise<T>, within?: number): Promise<T> {
  const fail = (why: string) => (): never => {
    throw new Error(why);
  };
  const ends = [work, interrupted.then(fail('interrupted'))];
  if (within !== undefined) {
    ends.push(delay(within, undefined, { ref: false }).then(fail(`not done within ${within} ms`)));
  }
  return Promise.race(ends);
}
