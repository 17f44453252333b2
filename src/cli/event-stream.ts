/** Reads the data of server-sent events from text that arrives in chunks of any size. */
import { createParser } from 'eventsource-parser';

export async function* eventData(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let found: string[] = [];
  const parser = createParser({ onEvent: ({ data }) => found.push(data) });
  for await (const chunk of chunks) {
    parser.feed(chunk);
    yield* found;
    found = [];
  }
}
