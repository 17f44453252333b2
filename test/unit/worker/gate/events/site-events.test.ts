import { expect } from 'chai';
import { isPaused, on, onPause, onResume, state } from '#quiesce/worker/gate/events/site-events.js';
import { isDrained, resume, runtime, pause, tell, tellPause } from '../../fake-primary.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const mirrored = {
  run: 'run1',
  collection: 'resources',
  outcome: 'succeeded',
  counts: { inserted: 1, updated: 0, deleted: 0, unchanged: 0 },
  keys: ['a'],
};

describe('what an app hears of the site', () => {
  const removers: (() => void)[] = [];
  before(async () => {
    runtime();
    await turn();
  });
  afterEach(() => {
    for (const remove of removers.splice(0)) remove();
    resume();
  });

  it('is the pause with its holds, what has changed, and the resume, in this order', async () => {
    const heard: [string, boolean, object][] = [];
    for (const name of ['resume', 'mirrored', 'pause'] as const)
      removers.push(on(name, (event) => heard.push([name, isPaused(), event])));
    tellPause(2);
    await turn();
    const { epoch } = state();
    tell({ type: 'pause-info', info: { holds: [], run: null, retryAfter: 1 } });
    tell({ type: 'resume', mirrored: [mirrored] });
    tell({ type: 'resume', mirrored: [mirrored] });
    await turn();
    expect(heard.map(([name, paused]) => [name, paused])).to.deep.equal([
      ['pause', true],
      ['mirrored', true],
      ['resume', false],
    ]);
    const [[, , first], [, , second], [, , third]] = heard as [(typeof heard)[0], (typeof heard)[0], (typeof heard)[0]];
    expect(first).to.deep.include({ epoch, run: null });
    expect(first).to.have.nested.property('holds[0].reason', 'the nightly check');
    expect(second).to.deep.equal(mirrored);
    expect(third).to.deep.equal({ epoch });
  });

  it('comes before the first request: the gate waits for promises, and heeds a pause that has begun meanwhile', async () => {
    let end = (): void => {};
    removers.push(on('mirrored', () => new Promise<void>((resolve) => (end = resolve))));
    tellPause(1);
    await turn();
    tell({ type: 'resume', mirrored: [{ ...mirrored, run: 'run2' }] });
    await turn();
    expect(isPaused(), 'while they listen').to.equal(true);
    tellPause(1);
    await turn();
    end();
    await turn();
    expect(isPaused(), 'in the next pause').to.equal(true);
    tell({ type: 'resume' });
    await turn();
    expect(isPaused()).to.equal(false);
  });

  it('is the pause also where a listener is added after it has begun', async () => {
    pause();
    let heard: object | null = null;
    removers.push(on('pause', (event) => (heard = event)));
    await turn();
    expect(heard).to.have.property('epoch', state().epoch);
  });

  it('keeps a drain waiting for what it stops, and names it', async () => {
    let end = (): void => {};
    let resumed = 0;
    removers.push(
      onPause(function stopQueue() {
        return new Promise<void>((resolve) => (end = resolve));
      }),
      onResume(() => void resumed++),
    );
    pause();
    expect(isDrained()).to.equal(false);
    expect(runtime().gate.oldest()[0]).to.include({ method: 'onPause', path: 'stopQueue' });
    end();
    await turn();
    expect(isDrained()).to.equal(true);
    expect(resumed).to.equal(0);
    resume();
    expect(resumed).to.equal(1);
  });

  it('is what it asks for: the state is a copy', () => {
    const epoch = pause({ run: 'run9' });
    const now = state();
    expect(now).to.deep.include({ gate: 'shut', epoch, run: 'run9', inFlight: 0, stopping: false });
    expect(now.holds.map(({ kind }) => kind)).to.deep.equal(['operator']);
    resume();
    expect(now.gate).to.equal('shut');
    expect(state()).to.deep.include({ gate: 'open', holds: [], run: null });
  });

  it('is nothing where it asks for what there is not', () => {
    expect(() => on('mirror' as 'pause', () => {})).to.throw(
      TypeError,
      "no event 'mirror'. There are pause, mirrored, resume.",
    );
    expect(() => on('pause', 'x' as never)).to.throw(TypeError, 'on() takes a function, not "x".');
    expect(() => onPause(undefined as never)).to.throw(TypeError, 'onPause() takes a function, not undefined.');
    expect(() => onResume(7 as never)).to.throw(TypeError, 'onResume() takes a function, not 7.');
  });
});
