import { expect } from 'chai';
import fc from 'fast-check';
import { SseParser } from '#quiesce/dashboard/page/live/sse.js';

describe('a stream of server-sent events', () => {
  const text =
    'event: status\nid: x.1\ndata: {"a":1}\n\n: keep alive\n\nid: x.2\r\ndata: one\r\ndata:two\r\n\r\ndata\n\nevent: none\n\n';
  const expected = [
    { type: 'status', data: '{"a":1}' },
    { type: 'message', data: 'one\ntwo' },
    { type: 'message', data: '' },
  ];

  it('is read the same wherever it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: text.length })), (cuts) => {
        const parser = new SseParser();
        const edges = [0, ...cuts.sort((a, b) => a - b), text.length];
        const events = edges.slice(1).flatMap((edge, index) => parser.push(text.slice(edges[index], edge)));
        expect(events).to.deep.equal(expected);
        expect(parser.lastId).to.equal('x.2');
      }),
    );
  });

  it('keeps an event for itself until it is complete', () => {
    const parser = new SseParser();
    expect(parser.push('event: a\ndata: b\n')).to.deep.equal([]);
    expect(parser.push('\n')).to.deep.equal([{ type: 'a', data: 'b' }]);
  });
});
