import { expect } from 'chai';
import { QuiesceError } from '#quiesce/errors.js';
import type { FromWorker, RequestBody } from '#quiesce/protocol/workers/messages.js';
import { handOver } from '#quiesce/worker/feed/hand-over.js';
import { Link } from '#quiesce/worker/process/link.js';

describe('a feed that is handed over', () => {
  const worker = { slot: 0, incarnation: 1 };
  const submission: Extract<RequestBody, { op: 'submit' }> = {
    op: 'submit',
    run: 'r',
    feed: { path: '/spool/0-1-r.feed', bytes: 2, digest: 'x', format: 'json', coding: 'identity', uploadMs: 1 },
    mirror: { collection: 'resources', key: 'id', extendedJson: false },
  };

  /** With a primary that answers as told, or not at all. */
  function setUp(answers: Partial<Record<RequestBody['op'], () => object | undefined>>) {
    const asked: string[] = [];
    const link = new Link(worker, (message: FromWorker) => {
      if (message.type !== 'request') return;
      asked.push(message.body.op);
      const answer = answers[message.body.op]?.();
      if (answer) link.receive({ quiesce: 1, ...worker, epoch: 0, type: 'reply', id: message.id, ...answer });
    });
    return { asked, link, outcome: handOver(link, submission, '/api/sync/r', 10).then(() => 'taken', codeOf) };
  }

  function codeOf(error: unknown): string {
    return (error as QuiesceError).code;
  }

  it('is taken where the primary says so in time', async () => {
    const { outcome, asked } = setUp({ submit: () => ({ value: {} }) });
    expect(await outcome).to.equal('taken');
    expect(asked).to.deep.equal(['submit']);
  });

  it('is taken where the primary was too slow to say so, but has it: the run goes on', async () => {
    const { outcome, asked } = setUp({ release: () => ({ value: { goesOn: true } }) });
    expect(await outcome).to.equal('taken');
    expect(asked).to.deep.equal(['submit', 'release']);
  });

  it('is refused where the primary was too slow and has given the run up', async () => {
    expect(await setUp({ release: () => ({ value: { goesOn: false } }) }).outcome).to.equal('no-primary');
  });

  it('has no answer from a primary that hangs, until that goes on or is gone', async () => {
    const { outcome, link } = setUp({});
    const early = await Promise.race([outcome, new Promise((resolve) => setTimeout(resolve, 60, 'nothing yet'))]);
    expect(early).to.equal('nothing yet');
    link.lose();
    expect(await outcome).to.equal('no-primary');
  });

  it('is refused with what the primary says', async () => {
    const problem = new QuiesceError('insufficient-storage', 'The disk is full.').toProblem();
    const { outcome } = setUp({ submit: () => ({ problem }), release: () => ({ value: { goesOn: false } }) });
    expect(await outcome).to.equal('insufficient-storage');
  });
});
