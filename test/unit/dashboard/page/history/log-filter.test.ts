import { expect } from 'chai';
import { home } from '#quiesce/dashboard/page/place/address.js';
import { passes } from '#quiesce/dashboard/page/history/log-filter.js';
import type { LogLine } from '#quiesce/protocol/api/live.js';

const lines: Record<string, LogLine> = {
  start: { level: 30, time: 1, msg: 'the cluster is serving' },
  crash: { level: 50, time: 2, msg: 'worker 2.1 ended with SIGKILL: crash', slot: 2, incarnation: 1 },
  cutOff: { level: 40, time: 3, msg: 'cut off', slot: 1, incarnation: 1, request: { method: 'GET', path: '/Export' } },
  app: { level: 30, time: 4, msg: '{"reqId":"r-17","took":5}', slot: 2, incarnation: 2, stream: 'stdout' },
  warning: { level: 30, time: 5, msg: 'DeprecationWarning', slot: 1, incarnation: 1, stream: 'stderr' },
  run: { level: 40, time: 6, msg: 'it failed', run: '20261128t02-ab', err: { message: 'no such host' } },
};
const shown = (filter: Partial<typeof home.log>): string[] =>
  Object.keys(lines).filter((name) => passes(lines[name]!, { ...home.log, ...filter }));

describe('the filter of the log', () => {
  it('lets everything pass that nobody asks to hide', () => {
    expect(shown({})).to.deep.equal(Object.keys(lines));
    expect(shown({ text: '  ' })).to.deep.equal(Object.keys(lines));
  });

  it('goes by the level; what a worker writes to stderr is a warning', () => {
    expect(shown({ level: 'warnings' })).to.deep.equal(['crash', 'cutOff', 'warning', 'run']);
    expect(shown({ level: 'errors' })).to.deep.equal(['crash']);
  });

  it('goes by who says it, and for a slot also by whom it is about', () => {
    expect(shown({ from: 'supervisor' })).to.deep.equal(['start', 'crash', 'cutOff', 'run']);
    expect(shown({ from: '2' })).to.deep.equal(['crash', 'app']);
    expect(shown({ from: '0' })).to.deep.equal([]);
  });

  it('finds words, requests, runs and errors wherever they stand, in any case', () => {
    expect(shown({ text: 'sigkill WORKER' })).to.deep.equal(['crash']);
    expect(shown({ text: 'get /export' })).to.deep.equal(['cutOff']);
    expect(shown({ text: 'r-17' })).to.deep.equal(['app']);
    expect(shown({ text: '20261128t02-ab' })).to.deep.equal(['run']);
    expect(shown({ text: 'no such host' })).to.deep.equal(['run']);
    expect(shown({ text: 'such nonsense' })).to.deep.equal([]);
    expect(shown({ text: 'level' }), 'names of members are no words').to.deep.equal([]);
  });
});
