import { expect } from 'chai';
import { once } from 'node:events';
import { Link } from '#quiesce/worker/process/link.js';
import type { FromWorker } from '#quiesce/protocol/workers/messages.js';

describe("a worker's line to its primary", () => {
  const sent: FromWorker[] = [];
  const line = (): Link => {
    sent.length = 0;
    return new Link({ slot: 2, incarnation: 5 }, (message, done) => {
      sent.push(message);
      done(null);
    });
  };
  const reply = (id: number, more: object): object => ({
    quiesce: 1,
    slot: 2,
    incarnation: 5,
    epoch: 0,
    type: 'reply',
    id,
    ...more,
  });
  const problemOf = async (promise: Promise<unknown>): Promise<unknown> => promise.then(() => null, (error: { code: string }) => error.code); // prettier-ignore
  const ask = { op: 'claim', kind: 'sync', method: 'PUT', path: '/' } as const;

  it('gives each request the reply with its number', async () => {
    const link = line();
    const first = link.request<'claim'>(ask);
    const second = link.request<'claim'>(ask);
    const [a, b] = sent.map((message) => (message.type === 'request' ? message.id : 0));
    link.receive(reply(b!, { value: { run: 'b' } }));
    link.receive(
      reply(a!, { problem: { type: 't', title: 't', status: 409, detail: 'd', code: 'run-in-progress', run: 'b' } }),
    );
    expect(await second).to.deep.equal({ run: 'b' });
    expect(await problemOf(first)).to.equal('run-in-progress');
  });

  it('refuses what is pending, and all that comes, when the primary is gone', async () => {
    const link = line();
    const pending = link.request<'claim'>(ask);
    link.lose();
    expect(await problemOf(pending)).to.equal('no-primary');
    expect(await problemOf(link.request<'claim'>(ask))).to.equal('no-primary');
    expect(sent).to.have.length(1);
  });

  it('undoes what is granted after it has stopped waiting', async () => {
    const link = line();
    let late: unknown;
    expect(await problemOf(link.request<'claim'>(ask, { timeout: 5, late: (value) => (late = value) }))).to.equal(
      'no-primary',
    );
    link.receive(reply(1, { value: { run: 'r' } }));
    link.receive(reply(1, { value: { run: 'again' } }));
    expect(late).to.deep.equal({ run: 'r' });
  });

  it('drops messages for another incarnation, and malformed ones with a warning', async () => {
    const link = line();
    const seen: string[] = [];
    link.onMessage((message) => seen.push(message.type));
    link.receive({ quiesce: 1, slot: 2, incarnation: 4, epoch: 1, type: 'resume' });
    link.receive({ quiesce: 1, slot: 2, incarnation: 5, epoch: 1, type: 'resume' });
    const warned = once(process, 'warning');
    link.receive({ quiesce: 1, slot: 2, incarnation: 5, epoch: -1, type: 'resume' });
    expect(((await warned) as [Error & { code: string }])[0].code).to.equal('QUIESCE_PROTOCOL');
    expect(seen).to.deep.equal(['resume']);
  });
});
