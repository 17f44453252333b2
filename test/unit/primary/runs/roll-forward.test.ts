import { expect } from 'chai';
import { QuiesceError } from '#quiesce/errors.js';
import { MirrorError } from '#quiesce/mirror/handle.js';
import { isHalfDone, rollForward } from '#quiesce/primary/runs/roll-forward.js';

describe('rolling forward', () => {
  it('goes on until an attempt succeeds, and tells of each failure', async () => {
    const told: unknown[] = [];
    let attempts = 0;
    const whole = await rollForward('first', {
      attempt: () => (++attempts < 2 ? Promise.reject(new Error('again')) : Promise.resolve()),
      onFailure: (error, wait) => told.push([String(error), wait]),
      signal: new AbortController().signal,
    });
    expect(whole).to.equal(true);
    expect(told).to.deep.equal([
      ['first', 500],
      ['Error: again', 1_000],
    ]);
  });

  it('ends at once when it is given up, in a wait or in an attempt', async () => {
    const waiting = new AbortController();
    const inWait = rollForward('first', {
      attempt: () => Promise.reject(new Error('never')),
      onFailure: () => waiting.abort(),
      signal: waiting.signal,
    });
    expect(await inWait).to.equal(false);
    const working = new AbortController();
    const attempt = async (): Promise<void> => working.abort();
    expect(await rollForward('first', { attempt, onFailure: () => {}, signal: working.signal })).to.equal(false);
  });

  it('leaves the collection to a newer primary', async () => {
    const fenced = new QuiesceError('fenced', 'newer');
    let caught: unknown;
    await rollForward('first', {
      attempt: () => Promise.reject(fenced),
      onFailure: () => {},
      signal: new AbortController().signal,
    }).catch((error: unknown) => (caught = error));
    expect(caught).to.equal(fenced);
  });

  it('is for what may have been written in part, and for nothing else', () => {
    expect(isHalfDone(false, new MirrorError('run-failed', '', true))).to.equal(true);
    expect(isHalfDone(false, new MirrorError('run-failed', '', false))).to.equal(false);
    expect(isHalfDone(true, new MirrorError('database-unavailable', '', false))).to.equal(true);
    expect(isHalfDone(true, new QuiesceError('fenced', ''))).to.equal(false);
    expect(isHalfDone(false, new Error())).to.equal(false);
  });
});
