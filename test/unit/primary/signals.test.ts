import { expect } from 'chai';
import { pino } from 'pino';
import { keepSignals, onSignals, TwinSignals } from '#quiesce/primary/signals.js';

describe('signals to the primary', () => {
  let time: number;
  let stops: number;
  let done: string[];
  let remove: () => void;

  const listen = (): (() => void) =>
    onSignals({
      stop: () => void (stops += 1),
      toggleHold: () => void done.push('toggle'),
      reload: async () => void done.push('reload'),
      scaleBy: async (step) => void done.push(`scale ${step}`),
      reopenFiles: () => {},
      log: pino({ enabled: false }),
      now: () => time,
    });

  beforeEach(() => {
    time = 0;
    stops = 0;
    done = [];
    remove = listen();
  });

  afterEach(() => remove());

  /** The handlers alone: a real signal would end mocha once they are removed. */
  async function receive(signal: NodeJS.Signals, at: number): Promise<void> {
    time = at;
    process.emit(signal, signal);
    await new Promise(setImmediate);
  }

  it('take a signal that is forwarded to a whole group and to its leader as one', async () => {
    await receive('SIGTERM', 1000);
    await receive('SIGTERM', 1006);
    expect(stops).to.equal(1);
  });

  it('let a second signal, sent by somebody who will not wait, through', async () => {
    await receive('SIGTERM', 1000);
    await receive('SIGTERM', 1300);
    expect(stops).to.equal(2);
  });

  it('that came while nobody could act are acted on as soon as somebody can, but for a reload', async () => {
    remove();
    keepSignals();
    process.emit('SIGTTIN', 'SIGTTIN');
    process.emit('SIGHUP', 'SIGHUP');
    process.emit('SIGUSR2', 'SIGUSR2');
    await new Promise(setImmediate);
    expect(done).to.deep.equal([]);
    remove = listen();
    await new Promise(setImmediate);
    expect(done).to.deep.equal(['scale 1', 'toggle']);
  });

  it('whose action fails or throws are in the log, and end nobody', async () => {
    remove();
    const lines: string[] = [];
    const fails = (): never => {
      throw new Error('not now');
    };
    const log = pino({ level: 'error' }, { write: (line: string) => void lines.push(line) });
    const actions = { toggleHold: fails, scaleBy: fails, reload: async () => fails(), reopenFiles: () => {}, log };
    remove = onSignals({ ...actions, stop: fails, now: () => time });
    for (const signal of ['SIGTERM', 'SIGUSR2', 'SIGHUP', 'SIGTTIN'] as const) await receive(signal, 0);
    await new Promise(setImmediate);
    expect(lines.join('')).to.match(/SIGTERM[^]*SIGUSR2[^]*SIGHUP[^]*SIGTTIN/);
  });

  it('are nobody’s any more when the handlers are removed', () => {
    const listening = process.listenerCount('SIGUSR2');
    remove();
    expect(process.listenerCount('SIGUSR2')).to.equal(listening - 1);
  });

  it('to a whole group arrive from the keeper as well, and count once; two that are sent in the same way are two', () => {
    const twins = new TwinSignals();
    expect(twins.isTwin('SIGUSR2', false, 1000)).to.equal(false);
    expect(twins.isTwin('SIGUSR2', true, 1100)).to.equal(true);
    expect(twins.isTwin('SIGUSR2', true, 1200)).to.equal(false);
    expect(twins.isTwin('SIGUSR2', true, 1210)).to.equal(false);
    expect(twins.isTwin('SIGHUP', false, 1210)).to.equal(false);
    expect(twins.isTwin('SIGUSR2', false, 1600)).to.equal(false);
  });
});
