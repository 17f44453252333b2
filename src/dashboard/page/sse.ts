/** Reads server-sent events (HTML standard, section 9.2.6) from text that comes in pieces of any size. */

export interface ServerEvent {
  readonly type: string;
  readonly data: string;
}

export class SseParser {
  /** The id of the last event, to go on from after a lost connection. */
  lastId = '';
  #rest = '';
  #type = '';
  #data: string[] = [];

  push(text: string): ServerEvent[] {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    const events: ServerEvent[] = [];
    for (const line of lines) {
      if (line === '') this.#end(events);
      else this.#field(line);
    }
    return events;
  }

  #end(events: ServerEvent[]): void {
    if (this.#data.length > 0) events.push({ type: this.#type || 'message', data: this.#data.join('\n') });
    this.#type = '';
    this.#data = [];
  }

  #field(line: string): void {
    const colon = line.indexOf(':');
    if (colon === 0) return; // a comment
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'event') this.#type = value;
    else if (name === 'data') this.#data.push(value);
    else if (name === 'id' && !value.includes('\0')) this.lastId = value;
  }
}
