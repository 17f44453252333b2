/**
 * Keeps one event stream open: connecting → live → lost → connecting …, until it is closed.
 *
 * `EventSource` cannot send a token, which the log needs, and cannot detect a dead connection. The primary sends a
 * sample each second, so silence means that the primary is gone or hangs.
 */
import { SseParser, type ServerEvent } from './sse.ts';

export interface StreamHandlers {
  event(event: ServerEvent): void;
  /** The connection was lost or could not be opened. */
  lost(): void;
}

/** The connection is closed after this time without a byte, ms. */
const silence = 10_000;
const firstWait = 500;
const longestWait = 3_000;

export class EventStream {
  readonly #url: string;
  readonly #handlers: StreamHandlers;
  #token: string | null;
  #parser = new SseParser();
  #abort = new AbortController();
  #wait = firstWait;
  #closed = false;

  constructor(url: string, token: string | null, handlers: StreamHandlers) {
    this.#url = url;
    this.#token = token;
    this.#handlers = handlers;
    void this.#run();
  }

  /** Connects again with another token, which may allow to see more or less. */
  restart(token: string | null): void {
    this.#token = token;
    this.#parser = new SseParser();
    this.#wait = 0;
    this.#abort.abort();
  }

  close(): void {
    this.#closed = true;
    this.#abort.abort();
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      this.#abort = new AbortController();
      try {
        await this.#read(this.#abort);
      } catch {
        // Lost or refused; both are reported below.
      }
      if (this.#closed) return;
      if (this.#wait > 0) this.#handlers.lost();
      await new Promise((resolve) => setTimeout(resolve, this.#wait));
      this.#wait = Math.min(longestWait, Math.max(firstWait, this.#wait * 2));
    }
  }

  async #read(abort: AbortController): Promise<void> {
    const parser = this.#parser;
    const headers: Record<string, string> = { Accept: 'text/event-stream' };
    if (this.#token !== null) headers['Authorization'] = `Bearer ${this.#token}`;
    if (parser.lastId !== '') headers['Last-Event-ID'] = parser.lastId;
    let watchdog = setTimeout(() => abort.abort(), silence);
    try {
      const response = await fetch(this.#url, { headers, signal: abort.signal, cache: 'no-store' });
      if (!response.ok || response.body === null) throw new Error(`status ${response.status}`);
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        clearTimeout(watchdog);
        watchdog = setTimeout(() => abort.abort(), silence);
        this.#wait = firstWait;
        for (const event of parser.push(value)) this.#handlers.event(event);
      }
    } finally {
      clearTimeout(watchdog);
    }
  }
}
