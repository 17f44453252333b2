import { expect } from 'chai';
import { eventData } from '#quiesce/cli/event-stream.js';

async function messages(...chunks: string[]): Promise<string[]> {
  const found: string[] = [];
  async function* stream(): AsyncGenerator<string> {
    yield* chunks;
  }
  for await (const data of eventData(stream())) found.push(data);
  return found;
}

describe('server-sent events', () => {
  it('are found however they are cut, and comments are left out', async () => {
    const text = 'event: status\ndata: {"a":1}\n\n: \n\ndata:two\ndata: lines\n\nid: 3\n\ndata: cut';
    const expected = ['{"a":1}', 'two\nlines'];
    expect(await messages(text)).to.deep.equal(expected);
    expect(await messages(...text.split(''))).to.deep.equal(expected);
  });

  it('may end their lines with LF or CRLF', async () => {
    for (const end of ['\n', '\r\n']) {
      const text = `event: status${end}data: {"a":1}${end}${end}data: two${end}data: lines${end}${end}data: cut`;
      const expected = ['{"a":1}', 'two\nlines'];
      expect(await messages(text), JSON.stringify(end)).to.deep.equal(expected);
      expect(await messages(...text.split('')), JSON.stringify(end)).to.deep.equal(expected);
    }
  });
});
