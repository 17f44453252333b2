import { expect } from 'chai';
import fc from 'fast-check';
import { EventLog } from '#quiesce/primary/live/event-log.js';

describe('the log of events', () => {
  it('gives exactly what came after an id, or says that it cannot', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ maxLength: 30 }), { maxLength: 60 }),
        fc.integer({ min: 0, max: 70 }),
        (texts, seq) => {
          const log = new EventLog(200);
          for (const text of texts) log.append('sample', text);
          const events = log.after(seq);
          if (seq > texts.length) return events === null;
          if (events === null) return seq < texts.length - 1 && texts.join('').length > 200;
          return events.map(({ data }) => data).join('|') === texts.slice(seq).join('|') && log.last === texts.length;
        },
      ),
    );
  });

  it('forgets the oldest beyond its size, but never the newest', () => {
    const log = new EventLog(10);
    for (const text of ['aaaa', 'bbbb', 'cccc', 'd'.repeat(50)]) log.append('log', text);
    expect(log.after(3)!.map(({ data }) => data)).to.deep.equal(['d'.repeat(50)]);
    expect(log.after(2)).to.equal(null);
  });

  it('knows its own ids only', () => {
    const log = new EventLog();
    log.append('sample', '{}');
    expect(log.seqOf(log.idOf(1))).to.equal(1);
    for (const id of [undefined, '', '1', new EventLog().idOf(1), `${log.idOf(1)}x`, 'x.99999999999999999999'])
      expect(log.seqOf(id), String(id)).to.equal(null);
  });
});
