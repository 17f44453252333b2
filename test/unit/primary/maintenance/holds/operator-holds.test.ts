import { expect } from 'chai';
import { QuiesceError } from '#quiesce/errors.js';
import { OperatorHolds, type Wait } from '#quiesce/primary/maintenance/holds/operator-holds.js';
import { initialState } from '#quiesce/primary/maintenance/machine/initial-state.js';
import type { Event } from '#quiesce/primary/maintenance/machine/state.js';
import { step } from '#quiesce/primary/maintenance/machine/step.js';

const rules = { drainTimeout: 40, onDrainTimeout: 'abort', runTimeout: 1000, uploadTimeout: 1000 } as const;
const worker = { slot: 0, incarnation: 1 };
const straggler = { slot: 0, method: 'GET', path: '/slow', age: 12 };
const nothing = { reason: null, lasts: null, by: null };

/** A cluster of one worker, which serves. */
function aCluster() {
  let state = initialState(0, null);
  const listeners = new Set<() => void>();
  const written: (string | null)[] = [];
  let disk = Promise.resolve();
  const dispatch = (event: Event): void => {
    const next = step(state, event, { wall: Date.now(), monotonic: performance.now() }, rules);
    state = next.state;
    for (const { type } of next.effects) {
      if (type === 'persist') written.push(state.waiters.size > 0 ? null : (state.operator?.reason ?? null));
    }
    for (const listener of listeners) listener();
  };
  dispatch({ type: 'forked', worker });
  dispatch({ type: 'hello', worker });
  const holds = new OperatorHolds({
    dispatch,
    state: () => state,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    written: () => disk,
    waitingFor: () => [straggler],
    drainTimeout: () => rules.drainTimeout,
  });
  return {
    holds,
    dispatch,
    written,
    listeners,
    drain: () => dispatch({ type: 'drained', worker, epoch: state.epoch }),
    failToWrite: () => {
      disk = Promise.reject(new Error('ENOSPC'));
      disk.catch(() => {});
    },
    get state() {
      return state;
    },
  };
}

async function refusalOf(promise: Promise<void>): Promise<QuiesceError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).to.be.instanceOf(QuiesceError);
  return error as QuiesceError;
}

const patient: Wait = { timeout: 10_000, keep: false };

describe('an operator who waits for the cluster to come to rest', () => {
  it('is answered when it has, and not before the hold is on record', async () => {
    const cluster = aCluster();
    let answered = false;
    const held = cluster.holds.holdAtRest({ ...nothing, reason: 'moving' }, patient).then(() => (answered = true));
    await new Promise(setImmediate);
    expect(answered).to.equal(false);
    expect(cluster.written, 'nobody knows of it yet').to.deep.equal([null]);
    cluster.drain();
    await held;
    expect(cluster.written).to.deep.equal([null, 'moving']);
    expect(cluster.listeners.size).to.equal(0);
  });

  it('is answered at once where it is at rest already', async () => {
    const cluster = aCluster();
    await cluster.holds.hold(nothing);
    cluster.drain();
    await cluster.holds.holdAtRest(nothing, { timeout: 1, keep: false });
  });

  it('hears after the drain timeout who has not finished, and the site serves', async () => {
    const cluster = aCluster();
    const error = await refusalOf(cluster.holds.holdAtRest(nothing, { keep: false }));
    expect(error.code).to.equal('drain-timeout');
    expect(error.message).to.include('After 40 ms').and.include('taken back').and.include('GET /slow in worker 0');
    expect(error.extra).to.deep.equal({ waitingFor: [straggler], held: false });
    expect(cluster.state).to.include({ phase: 'serving', operator: null });
    expect(cluster.written).to.deep.equal([null, null]);
  });

  it('leaves the hold where it is to be kept, or where somebody else holds too', async () => {
    const kept = aCluster();
    expect((await refusalOf(kept.holds.holdAtRest(nothing, { timeout: 1, keep: true }))).extra).to.include({
      held: true,
    });
    expect(kept.state.operator).to.not.equal(null);

    const joined = aCluster();
    await joined.holds.hold({ ...nothing, reason: 'first' });
    expect((await refusalOf(joined.holds.holdAtRest(nothing, { timeout: 1, keep: false }))).message).to.include(
      'stays',
    );
    expect(joined.state.operator).to.include({ reason: 'first' });

    const firmLater = aCluster();
    const waiting = refusalOf(firmLater.holds.holdAtRest(nothing, { timeout: 5, keep: false }));
    await firmLater.holds.hold(nothing);
    await waiting;
    expect(firmLater.state.operator).to.not.equal(null);
  });

  it('of two of them the last takes it back', async () => {
    const cluster = aCluster();
    const long = refusalOf(cluster.holds.holdAtRest(nothing, { timeout: 30, keep: false }));
    expect((await refusalOf(cluster.holds.holdAtRest(nothing, { timeout: 1, keep: false }))).extra['held']).to.equal(
      true,
    );
    expect(cluster.state.operator).to.not.equal(null);
    expect((await long).extra['held']).to.equal(false);
    expect(cluster.state.operator).to.equal(null);
  });

  it('takes it back by going away', async () => {
    const cluster = aCluster();
    const client = new AbortController();
    const held = refusalOf(cluster.holds.holdAtRest(nothing, { ...patient, signal: client.signal }));
    client.abort();
    expect((await held).code).to.equal('hold-ended');
    expect(cluster.state.phase).to.equal('serving');
  });

  it('hears that somebody ended it, that the cluster stops, that it cannot be written', async () => {
    const ended = aCluster();
    const first = refusalOf(ended.holds.holdAtRest(nothing, patient));
    await ended.holds.unhold();
    expect((await first).code).to.equal('hold-ended');

    const stopped = aCluster();
    const second = refusalOf(stopped.holds.holdAtRest(nothing, patient));
    stopped.dispatch({ type: 'stop' });
    expect((await second).code).to.equal('stopping');
    expect(stopped.state.operator).to.equal(null);

    const full = aCluster();
    full.failToWrite();
    const third = await full.holds.holdAtRest(nothing, patient).catch((error: Error) => error);
    expect(third).to.be.instanceOf(Error).with.property('message', 'ENOSPC');
    expect(full.state.operator).to.equal(null);
  });

  it('waits for a run that is at work as well, and names it', async () => {
    const cluster = aCluster();
    cluster.dispatch({ type: 'claim', run: 'r1', kind: 'exclusive', owner: worker });
    cluster.drain();
    expect(cluster.state.phase).to.equal('quiesced');
    expect((await refusalOf(cluster.holds.holdAtRest(nothing, { timeout: 5, keep: false }))).message).to.include(
      'Run r1',
    );
    const held = cluster.holds.holdAtRest(nothing, patient);
    cluster.dispatch({ type: 'release', run: 'r1', owner: worker, error: null });
    await held;
    expect(cluster.state.phase).to.equal('quiesced');
  });
});

describe('an operator who holds again', () => {
  it('changes only what is said: the end, the reason and the name stay', async () => {
    const now = aCluster();
    await now.holds.hold({ reason: 'moving', lasts: 60_000, by: 'ann' });
    const { operator } = now.state;
    await now.holds.hold({ reason: null, lasts: null, by: 'bob' });
    expect(now.state.operator).to.deep.equal(operator);
    await now.holds.hold({ reason: 'still moving', lasts: null, by: 'bob' });
    expect(now.state.operator).to.deep.equal({ ...operator, reason: 'still moving', by: 'bob' });
  });
});
