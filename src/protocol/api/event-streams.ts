/**
 * Limits how many event streams a server writes to. Each stream costs a write at each change, and every client may open
 * one.
 *
 * A new stream is refused, and no open one is ended for it: clients reconnect when a stream ends, and would push each
 * other out for ever. A refused client can request the state itself from time to time.
 */
import type { EventEmitter } from 'node:events';
import { QuiesceError } from '../../errors.ts';

export class EventStreams {
  readonly #most: number;
  #open = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Takes a place until the response is closed.
   * @throws QuiesceError `too-many-streams`
   */
  enter(response: Pick<EventEmitter, 'once'> & { readonly destroyed: boolean }): void {
    if (this.#open >= this.#most)
      throw new QuiesceError(
        'too-many-streams',
        `There are ${this.#most} readers of event streams here, which is the most. Try again later, or ask for JSON from time to time.`,
      );
    if (response.destroyed) return;
    this.#open++;
    response.once('close', () => this.#open--);
  }
}
