/** Tells the app of a pause and its end, and of what a mirror run has changed in between. No listener stops the site. */
import { longestListening } from '../../../protocol/workers/listening.ts';
import { attempt } from './attempt.ts';
import type { SiteEvents } from './site-events.ts';

type Listener = (event: never) => unknown;

export class Announcements {
  readonly #listeners = new Map<keyof SiteEvents, Set<Listener>>();

  add<Name extends keyof SiteEvents>(name: Name, listener: (event: SiteEvents[Name]) => unknown): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    // The same function may be added twice; each addition is removed separately.
    const own: Listener = (event: SiteEvents[Name]) => listener(event);
    listeners.add(own);
    return () => void listeners.delete(own);
  }

  /** Does not wait for the listeners. */
  tell<Name extends 'pause' | 'resume'>(name: Name, event: SiteEvents[Name]): void {
    void this.#call(name, event);
  }

  /** Resolves when the listeners are done, or after `longestListening`; undefined if there is nothing to wait for. */
  tellMirrored(event: SiteEvents['mirrored']): Promise<void> | undefined {
    const work = this.#call('mirrored', event);
    if (work.length === 0) return undefined;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        const what = `A listener of 'mirrored' was not done ${longestListening} ms after run ${event.run}`;
        console.error(`quiesce: ${what}. The gate of this worker no longer waits for it.`);
        resolve();
      }, longestListening);
      timer.unref();
      void Promise.all(work).then(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #call<Name extends keyof SiteEvents>(name: Name, event: SiteEvents[Name]): Promise<void>[] {
    const listeners = [...(this.#listeners.get(name) ?? [])];
    return listeners.flatMap((listener) => attempt(`a listener of '${name}'`, () => listener(event as never)) ?? []);
  }
}
