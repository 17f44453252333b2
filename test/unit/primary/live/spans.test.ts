import { ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';
import { expect } from 'chai';
import { spans } from '#quiesce/primary/live/spans.js';
import type { Observer } from '#quiesce/primary/live/observers.js';
import { endedRun } from '../../dashboard/a-day.js';

const start = Date.parse('2026-11-22T03:00:00Z');
const iso = (ms: number): string => new Date(ms).toISOString();
const ms = ([seconds, nanos]: [number, number]): number => seconds * 1_000 + nanos / 1e6;
const plan = { at: start, items: 1_000, inserted: 5, updated: 6, deleted: 7, paused: 800 };

describe('spans of OpenTelemetry', () => {
  const exporter = new InMemorySpanExporter();
  let observer: Required<Observer>;
  const finished = (): Map<string, ReadableSpan> =>
    new Map(exporter.getFinishedSpans().map((span) => [span.name, span]));

  before(async () => {
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
    observer = (await spans()) as Required<Observer>;
  });
  beforeEach(() => exporter.reset());
  after(() => trace.disable());

  it('tell a pause with its drain, once', () => {
    const holds = [{ kind: 'operator' as const, reason: 'works', since: iso(start) }];
    const pause = { epoch: 9, from: iso(start), drained: iso(start + 300), holds, refused: 0 };
    observer.paused(pause);
    expect(finished()).to.have.property('size', 0);
    observer.paused({ ...pause, to: iso(start + 4_000) });
    observer.paused({ ...pause, to: iso(start + 4_000), refused: 3 });
    expect(exporter.getFinishedSpans()).to.have.length(2);
    const [span, drain] = [finished().get('quiesce pause')!, finished().get('quiesce drain')!];
    expect([ms(span.startTime), ms(span.endTime)]).to.deep.equal([start, start + 4_000]);
    expect(ms(drain.endTime)).to.equal(start + 300);
    expect(drain.parentSpanContext?.spanId).to.equal(span.spanContext().spanId);
    expect(span.parentSpanContext).to.equal(undefined);
    expect(span.attributes).to.deep.include({ 'quiesce.epoch': 9, 'quiesce.hold.reasons': ['works'] });
  });

  it('tell a run with its steps, each in its time, and its counts', () => {
    const run = endedRun(plan, 1);
    observer.run({ ...run, state: 'running' });
    observer.run(run);
    observer.run(run);
    const all = finished();
    expect([...all.keys()].toSorted()).to.deep.equal([
      'drain',
      'prepare',
      'quiesce sync run',
      'scan',
      'upload',
      'write',
    ]);
    const { drain, scan, write, total } = run.report!.timings;
    const last = all.get('write')!;
    expect(ms(last.endTime)).to.be.closeTo(start + total, 1);
    expect(ms(last.endTime) - ms(last.startTime)).to.be.closeTo(write, 1);
    expect(ms(all.get('drain')!.startTime)).to.be.closeTo(start + total - drain - scan - write, 1);
    expect(all.get('quiesce sync run')!.attributes).to.include({
      'quiesce.run.inserted': 5,
      'quiesce.run.state': 'succeeded',
    });
  });

  it('tell why a run failed', () => {
    const run = { ...endedRun({ ...plan, fails: true }, 2), id: 'b' };
    observer.run(run);
    const span = finished().get('quiesce sync run')!;
    expect(span.status.code).to.equal(SpanStatusCode.ERROR);
    expect(span.status.message).to.equal(run.error!.detail);
    expect(span.attributes['error.type']).to.equal('drain-timeout');
  });

  it('are nothing where no SDK has been set up', async () => {
    trace.disable();
    const idle = (await spans()) as Required<Observer>;
    idle.run({ ...endedRun(plan, 3), id: 'c' });
    expect(exporter.getFinishedSpans()).to.have.length(0);
    expect(trace.getTracer('x').startSpan('y', {}, ROOT_CONTEXT).isRecording()).to.equal(false);
  });
});
