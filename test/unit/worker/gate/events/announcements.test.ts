import { mock } from 'node:test';
import { expect } from 'chai';
import { longestListening } from '#quiesce/protocol/workers/listening.js';
import { Announcements } from '#quiesce/worker/gate/events/announcements.js';

const event = { run: 'run1', collection: 'resources', outcome: 'succeeded', counts: null, keys: null } as const;

describe('those who listen to a run', () => {
  const { error } = console;
  let said: string[] = [];
  beforeEach(() => {
    said = [];
    console.error = (...args: unknown[]) => void said.push(args.map(String).join(' '));
  });
  afterEach(() => {
    console.error = error;
  });

  it('are all told, though one throws and one rejects, and are not waited for where none has to be', async () => {
    const announcements = new Announcements();
    const told: number[] = [];
    announcements.add('mirrored', () => {
      throw new Error('first');
    });
    announcements.add('mirrored', () => void told.push(2));
    expect(announcements.tellMirrored(event)).to.equal(undefined);
    announcements.add('mirrored', () => Promise.reject(new Error('third')));
    await announcements.tellMirrored(event);
    expect(told).to.deep.equal([2, 2]);
    expect(said).to.deep.equal([
      "quiesce: a listener of 'mirrored' failed: Error: first",
      "quiesce: a listener of 'mirrored' failed: Error: first",
      "quiesce: a listener of 'mirrored' failed: Error: third",
    ]);
  });

  it('are waited for so long and no longer, which the log says', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      const announcements = new Announcements();
      announcements.add('mirrored', () => new Promise(() => {}));
      let done = false;
      const wait = announcements.tellMirrored(event)!.then(() => (done = true));
      mock.timers.tick(longestListening - 1);
      await Promise.resolve();
      expect(done).to.equal(false);
      mock.timers.tick(1);
      await wait;
      expect(said.join()).to.include(`not done ${longestListening} ms after run run1`);
    } finally {
      mock.timers.reset();
    }
  });

  it('are each removed by themselves', () => {
    const announcements = new Announcements();
    let calls = 0;
    const count = (): void => void calls++;
    const remove = announcements.add('pause', count);
    announcements.add('pause', count);
    remove();
    remove();
    announcements.tell('pause', { epoch: 1, holds: [], run: null });
    expect(calls).to.equal(1);
  });
});
