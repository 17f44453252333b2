import { expect } from 'chai';
import type { Notice } from '#quiesce/primary/notify/notice.js';
import {
  emptyQueue,
  longestWait,
  most,
  nextFor,
  oldest,
  prune,
  put,
  settle,
  type Queue,
} from '#quiesce/primary/notify/queue.js';

const at = (ms: number): string => new Date(ms).toISOString();
const told = (id: string, ms = 0): Notice => ({
  id,
  event: 'run-failed',
  at: at(ms),
  app: 'a',
  host: 'h',
  message: 'm',
  details: {},
});
const queued = (...ids: string[]): Queue => ids.reduce((queue, id) => put(queue, 'r', told(id)).queue, emptyQueue);

describe('the queue of notices', () => {
  it('gives each receiver its own, in order, and forgets what is delivered or refused', () => {
    const queue = put(queued('1', '2'), 'other', told('3')).queue;
    expect(nextFor(queue, 'other', 0)?.notice.id).to.equal('3');
    const first = nextFor(queue, 'r', 0)!;
    expect(first.notice.id).to.equal('1');
    const after = settle(queue, first, 'delivered', 0, 0);
    const second = nextFor(after, 'r', 0)!;
    expect(second.notice.id).to.equal('2');
    expect(nextFor(settle(after, second, 'refused', 0, 0), 'r', 0)).to.equal(null);
  });

  it('lets a receiver that fails wait ever longer, up to a limit, and no other', () => {
    let queue = put(queued('1'), 'other', told('2')).queue;
    const waits: number[] = [];
    for (let time = 0; waits.length < 14;) {
      queue = settle(queue, nextFor(queue, 'r', time)!, 'failed', time, 1);
      const { until } = queue.waits['r']!;
      expect(nextFor(queue, 'r', until - 1)).to.equal(null);
      expect(nextFor(queue, 'other', time)).to.not.equal(null);
      waits.push(until - time);
      time = until;
    }
    expect(waits.slice(0, 4)).to.deep.equal([1_000, 2_000, 4_000, 8_000]);
    expect(waits.at(-1)).to.equal(longestWait);
    const done = settle(queue, queue.entries[0]!, 'delivered', 0, 0);
    expect(done.waits).to.deep.equal({});
  });

  it('has room for so many of a receiver, and pushes out its oldest', () => {
    let queue = put(emptyQueue, 'other', told('kept')).queue;
    for (let n = 0; n < most; n++) queue = put(queue, 'r', told(String(n))).queue;
    const { queue: full, pushedOut } = put(queue, 'r', told('newest'));
    expect(pushedOut?.notice.id).to.equal('0');
    expect(full.entries).to.have.length(most + 1);
    expect(nextFor(full, 'other', 0)?.notice.id).to.equal('kept');
  });

  it('drops what is a day old, and what is for nobody', () => {
    const queue = put(put(queued('old'), 'gone', told('nobody', 5)).queue, 'r', told('young', 5)).queue;
    const { queue: left, dropped } = prune(queue, new Set(['r']), oldest);
    expect(left.entries.map(({ notice }) => notice.id)).to.deep.equal(['young']);
    expect(dropped.map(({ notice }) => notice.id)).to.deep.equal(['old', 'nobody']);
  });
});
