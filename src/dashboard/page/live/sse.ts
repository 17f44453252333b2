/** Reads server-sent events from text that arrives in chunks of any size, and keeps the last id for a reconnect. */
import { createParser } from '../vendor/eventsource-parser.ts';

export interface ServerEvent {
  readonly type: string;
  readonly data: string;
}

export class SseParser {
  /** The id of the last event, to continue from after a lost connection. */
  lastId = '';
  #found: ServerEvent[] = [];
  readonly #parser = createParser({
    onEvent: ({ id, event, data }) => {
      if (id !== undefined) this.lastId = id;
      this.#found.push({ type: event ?? 'message', data });
    },
  });

  push(text: string): ServerEvent[] {
    this.#found = [];
    this.#parser.feed(text);
    return this.#found;
  }
}
