import { expect } from 'chai';
import type { FeedSourceSettings } from '#quiesce/config/values/source-members.js';
import type { WorkerEvents, WorkerExit, WorkerRef } from '#quiesce/primary/ports.js';
import { BroughtSources } from '#quiesce/primary/source/brought.js';
import type { FromWorker } from '#quiesce/protocol/workers/messages.js';

const url = (name: string): FeedSourceSettings =>
  ({ url: `https://feeds.example/${name}`, cron: '* * * * *', collection: 'a', scope: null }) as FeedSourceSettings;
const worker = (slot: number, incarnation: number): WorkerRef => ({ slot, incarnation });
const exit = (cause: WorkerExit['cause']): WorkerExit => ({ cause, code: 1, signal: null });

describe('the sources that mirrors bring', () => {
  let now: string[];
  let brought: BroughtSources;
  let events: WorkerEvents;
  const seen: string[] = [];
  const tells = (ref: WorkerRef, ...names: string[]): void =>
    events.message(ref, { ...ref, quiesce: 1, epoch: 0, type: 'sources', sources: names.map(url) } as FromWorker);

  beforeEach(() => {
    now = [];
    brought = new BroughtSources((list) => (now = list.map((one) => one.url.slice(-1))));
    events = brought.between({
      forked: () => {},
      message: (_ref, { type }) => void seen.push(type),
      gone: (_ref, { cause }) => void seen.push(cause),
    });
  });

  it('are those of all workers, each once', () => {
    tells(worker(0, 1), 'a');
    tells(worker(1, 1), 'a');
    tells(worker(1, 1), 'a', 'b'); // a mirror() more
    expect(now).to.deep.equal(['a', 'b']);
    expect(brought.isOf(worker(0, 1), url('b'))).to.equal(false);
    expect(brought.isOf(worker(1, 1), url('b'))).to.equal(true);
    expect(seen).to.include('sources');
  });

  it('stay while a worker that has crashed is started again', () => {
    tells(worker(0, 1), 'a');
    events.gone(worker(0, 1), exit('crash'));
    expect(now).to.deep.equal(['a']);
    events.gone(worker(0, 2), exit('boot-failure'));
    expect(now).to.deep.equal(['a']);
    tells(worker(0, 3), 'b');
    expect(now).to.deep.equal(['b']);
  });

  it('change with a reload, and stay as they are where it fails', () => {
    tells(worker(0, 1), 'a');
    tells(worker(0, 2), 'b'); // both serve for a moment
    expect(now).to.deep.equal(['a', 'b']);
    events.gone(worker(0, 2), exit('boot-failure'));
    expect(now).to.deep.equal(['a']);
    tells(worker(0, 3), 'b');
    events.gone(worker(0, 1), exit('planned'));
    expect(now).to.deep.equal(['b']);
    events.gone(worker(0, 3), exit('planned')); // scaled away, or replaced by an app without sources
    expect(now).to.deep.equal([]);
    expect(seen).to.include('planned');
  });
});
