import { expect } from 'chai';
import {
  apply,
  emptyModel,
  phaseSince,
  presentPause,
  presentRun,
  type Model,
} from '#quiesce/dashboard/page/live/model.js';
import type { History, PauseRecord } from '#quiesce/protocol/api/live.js';
import type { RunRecord } from '#quiesce/protocol/api/runs.js';
import { aStatus } from '../../../primary/admin/fake-operations.js';

const at = (ms: number): string => new Date(ms).toISOString();
const event = (type: string, value: unknown): { type: string; data: string } => ({ type, data: JSON.stringify(value) });
const history: History = { startedAt: at(1_000), trusted: true, samples: [], pauses: [], runs: [], log: [] };
const sample = (ms: number): object => ({ at: at(ms), served: 1, refused: 0, workers: [] });
const pause: PauseRecord = { epoch: 5, from: at(10_000), holds: [], refused: 0 };
const after = (...events: { type: string; data: string }[]): Model =>
  events.reduce((model, each) => apply(model, each, 50_000), apply(emptyModel, event('history', history), 50_000));

describe('what the page knows', () => {
  it('begins anew with each history: that of another primary shares nothing with it', () => {
    const old = after(event('sample', sample(2_000)), event('pause', pause), event('status', aStatus));
    const { clockOffset } = old;
    const fresh = { ...emptyModel, startedAt: 1_000, trusted: true, clockOffset };
    expect(apply(old, event('history', history), 50_000)).to.deep.equal(fresh);
  });

  it('keeps ten minutes of samples, and goes by the clock of the primary', () => {
    const model = after(...Array.from({ length: 700 }, (_, second) => event('sample', sample(second * 1_000))));
    expect(model.samples).to.have.length(600);
    expect(model.samples.at(-1)!.at).to.equal(at(699_000));
    expect(model.clockOffset).to.equal(699_000 - 50_000);
  });

  it('brings the last pause up to date, and adds a new one', () => {
    const drained = { ...pause, drained: at(11_000) };
    const model = after(event('pause', pause), event('pause', drained));
    expect(model.pauses).to.deep.equal([drained]);
    const next = { ...pause, epoch: 6, from: at(20_000) };
    expect(apply(model, event('pause', next), 0).pauses).to.deep.equal([drained, next]);
  });

  it('brings a run up to date in its place, and puts a new one first', () => {
    const run = (id: string, state: RunRecord['state']): RunRecord => ({ id, state, kind: 'sync', startedAt: at(0) });
    const model = after(
      event('run', run('a', 'succeeded')),
      event('run', run('b', 'uploading')),
      event('run', run('a', 'failed')),
    );
    expect(model.runs.map(({ id, state }) => `${id} ${state}`)).to.deep.equal(['b uploading', 'a failed']);
  });

  it('passes over events that it does not know: the primary may be newer than the page', () => {
    expect(after(event('weather', { rain: true }))).to.deep.equal(after());
  });

  it('says since when the present phase has lasted', () => {
    const drained = { ...pause, drained: at(11_000) };
    const over = { ...drained, to: at(12_000) };
    const serving = event('status', aStatus);
    const quiesced = event('status', { ...aStatus, phase: 'quiesced' });
    const draining = event('status', { ...aStatus, phase: 'draining' });
    expect(phaseSince(after(serving))).to.equal(1_000);
    expect(phaseSince(after(draining, event('pause', pause)))).to.equal(10_000);
    expect(phaseSince(after(quiesced, event('pause', drained)))).to.equal(11_000);
    expect(phaseSince(after(serving, event('pause', over)))).to.equal(12_000);
    expect(presentPause(after(event('pause', over)))).to.equal(undefined);
    expect(presentPause(after(event('pause', drained)))).to.deep.equal(drained);
  });

  it('tells a run that is going on from the last one', () => {
    const run: RunRecord = { id: 'a', state: 'running', kind: 'sync', startedAt: at(0) };
    expect(presentRun(after(event('status', { ...aStatus, run })))).to.deep.equal(run);
    expect(presentRun(after(event('status', { ...aStatus, run: { ...run, endedAt: at(1) } })))).to.equal(null);
  });
});
