import { expect } from 'chai';
import { QuiesceError } from '#quiesce/errors.js';
import { MirrorError } from '#quiesce/mirror/handle.js';
import type { Past } from '#quiesce/mirror/messages.js';
import { isHalfDone, rollForward } from '#quiesce/primary/runs/recovery/roll-forward.js';

describe('rolling forward', () => {
  it('goes on until an attempt succeeds, and tells of each failure', async () => {
    const told: unknown[] = [];
    let attempts = 0;
    const whole = await rollForward('first', {
      attempt: () => (++attempts < 2 ? Promise.reject(new Error('again')) : Promise.resolve()),
      onFailure: (error, wait) => told.push([String(error), wait]),
      isHalfDone: () => Promise.resolve(true),
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
      isHalfDone: () => Promise.resolve(true),
      signal: waiting.signal,
    });
    expect(await inWait).to.equal(false);
    const working = new AbortController();
    const attempt = async (): Promise<void> => working.abort();
    const inAttempt = { attempt, onFailure: () => {}, isHalfDone: () => Promise.resolve(true), signal: working.signal };
    expect(await rollForward('first', inAttempt)).to.equal(false);
  });

  it('ends with what went wrong where nothing is half done any more', async () => {
    let caught: unknown;
    await rollForward('first', {
      attempt: () => Promise.reject(new Error('refused')),
      onFailure: () => {},
      isHalfDone: () => Promise.resolve(false),
      signal: new AbortController().signal,
    }).catch((error: unknown) => (caught = error));
    expect(String(caught)).to.equal('Error: refused');
  });

  describe('is for what may have been written in part', () => {
    const dirty = new MirrorError('run-failed', '', true);
    const clean = new MirrorError('too-many-deletes', '', false);
    const fenced = new QuiesceError('fenced', '');
    const never = (): Promise<Past> => Promise.reject(new Error('asked for nothing'));
    const wrote = (wrote: boolean) => () => Promise.resolve({ wrote, finished: null });

    it('by this primary', async () => {
      expect(await isHalfDone({}, dirty, never)).to.equal(true);
      expect(await isHalfDone({}, clean, never)).to.equal(false);
      expect(await isHalfDone({}, new Error(), never)).to.equal(false);
    });

    it('by this primary before, whatever the last attempt says', async () => {
      const work = {};
      await isHalfDone(work, dirty, never);
      expect(await isHalfDone(work, clean, never)).to.equal(true);
    });

    it('by a former one, if the fence says so or cannot be asked', async () => {
      expect(await isHalfDone({ begunBefore: true }, clean, wrote(true))).to.equal(true);
      expect(await isHalfDone({ begunBefore: true }, clean, wrote(false))).to.equal(false);
      expect(await isHalfDone({ begunBefore: true }, clean, () => Promise.reject(new Error('away')))).to.equal(true);
    });

    it('and not where a newer primary has taken the collection over', async () => {
      expect(await isHalfDone({ begunBefore: true }, fenced, never)).to.equal(false);
      expect(await isHalfDone({ begunBefore: true }, clean, () => Promise.reject(fenced))).to.equal(false);
      expect(await isHalfDone({ dirty: true }, fenced, never)).to.equal(false);
    });
  });
});
