import { expect } from 'chai';
import { farText, stepOf } from '#quiesce/dashboard/page/runs/view-run.js';
import type { RunRecord } from '#quiesce/protocol/api/runs.js';

const run: RunRecord = { id: 'a', kind: 'sync', state: 'running', startedAt: '2026-11-22T15:00:00.000Z' };

describe('the run that is going on', () => {
  it('stands at the step that its state or its progress tells', () => {
    expect(stepOf({ ...run, state: 'uploading' })).to.equal('upload');
    expect(stepOf({ ...run, state: 'draining', progress: { step: 'prepare', done: 9, total: 9 } })).to.equal('drain');
    expect(stepOf(run)).to.equal('scan');
    expect(stepOf({ ...run, progress: { step: 'write', done: 1 } })).to.equal('write');
    expect(stepOf({ ...run, state: 'rolling-forward', progress: { step: 'write', done: 1 } })).to.equal('write');
  });

  it('tells how far it is, as far as that is known', () => {
    const progress = { step: 'write', done: 12_400, total: 50_000, rate: 8_200, eta: 4_600 } as const;
    expect(farText(progress, 'write')).to.equal('12\u202f400 of 50\u202f000 items · 8\u202f200/s · about 4.6 s left');
    expect(farText({ step: 'upload', done: 10 }, 'upload')).to.equal('10 bytes');
    expect(farText(progress, 'scan')).to.equal('');
    expect(farText(undefined, 'scan')).to.equal('');
  });
});
