/**
 * Makes each pause and each run an OpenTelemetry span, if `@opentelemetry/api` is installed and an SDK is set up in the
 * primary's process (`NODE_OPTIONS='--import ./telemetry.js' quiesce start`). Otherwise does nothing.
 *
 * A span is made when its pause or run has ended, with the times that it took.
 */
import type * as Api from '@opentelemetry/api';
import type { Span, SpanOptions, Tracer } from '@opentelemetry/api';
import { isEnded } from '../../protocol/api/is-ended.ts';
import type { RunRecord } from '../../protocol/api/runs.ts';
import type { PauseRecord } from '../../protocol/api/live.ts';
import { version } from '../../version.ts';
import type { Observer } from './observers.ts';

/** Null if the package is not installed. */
export async function spans(): Promise<Observer | null> {
  try {
    return new Spans(await import('@opentelemetry/api'));
  } catch {
    return null;
  }
}

class Spans implements Observer {
  readonly #api: typeof Api;
  readonly #tracer: Tracer;
  #lastPause = -1;
  #lastRun = '';

  constructor(api: typeof Api) {
    this.#api = api;
    this.#tracer = api.trace.getTracer('quiesce', version);
  }

  paused({ epoch, from, drained, to, holds }: PauseRecord): void {
    if (to === undefined || epoch === this.#lastPause) return;
    this.#lastPause = epoch;
    const attributes = {
      'quiesce.epoch': epoch,
      'quiesce.hold.kinds': holds.map(({ kind }) => kind),
      'quiesce.hold.reasons': holds.map(({ reason }) => reason),
    };
    const span = this.#span('quiesce pause', from, { attributes });
    this.#step(span, 'quiesce drain', Date.parse(from), Date.parse(drained ?? to));
    span.end(Date.parse(to));
  }

  run({ id, kind, state, startedAt, endedAt, epoch, report, error }: RunRecord): void {
    if (!isEnded(state) || endedAt === undefined || id === this.#lastRun) return;
    this.#lastRun = id;
    const span = this.#span(`quiesce ${kind} run`, startedAt, {
      attributes: {
        'quiesce.run.id': id,
        'quiesce.run.state': state,
        ...(epoch === undefined ? {} : { 'quiesce.epoch': epoch }),
      },
    });
    if (report !== undefined) {
      for (const [name, value] of Object.entries(report.counts)) span.setAttribute(`quiesce.run.${name}`, value);
      const { upload, prepare, drain, scan, write, paused } = report.timings;
      const start = Date.parse(startedAt);
      const pause = Date.parse(endedAt) - paused;
      this.#step(span, 'upload', start, start + upload);
      this.#step(span, 'prepare', start + upload, start + upload + prepare);
      if (paused > 0) {
        this.#step(span, 'drain', pause, pause + drain);
        this.#step(span, 'scan', pause + drain, pause + drain + scan);
        this.#step(span, 'write', pause + drain + scan, pause + drain + scan + write);
      }
    }
    if (error !== undefined) {
      span.setAttribute('error.type', error.code);
      span.setStatus({ code: this.#api.SpanStatusCode.ERROR, message: error.detail });
    }
    span.end(Date.parse(endedAt));
  }

  #span(name: string, from: string, options: SpanOptions): Span {
    return this.#tracer.startSpan(name, { startTime: Date.parse(from), ...options }, this.#api.ROOT_CONTEXT);
  }

  #step(parent: Span, name: string, from: number, to: number): void {
    const { trace, ROOT_CONTEXT } = this.#api;
    this.#tracer.startSpan(name, { startTime: from }, trace.setSpan(ROOT_CONTEXT, parent)).end(to);
  }
}
