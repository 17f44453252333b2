/** The one runtime of the unit tests' process, with a primary that the test plays itself. */
import type { FromWorker, PauseInfo } from '#quiesce/protocol/workers/messages.js';
import { getRuntime, provideLocalPrimary, type Runtime } from '#quiesce/worker/process/runtime.js';

export const sent: FromWorker[] = [];
/** What the primary answers to a request; the default refuses. */
let answer: (body: Extract<FromWorker, { type: 'request' }>) => { value?: unknown; problem?: object } = () => ({});
let deliver: (message: unknown) => void = () => {};
let epoch = 0;

provideLocalPrimary((toWorker) => {
  deliver = toWorker;
  return (message, done) => {
    sent.push(message);
    done(null);
    if (message.type === 'hello') {
      tell({ type: 'welcome', settings });
      tell({ type: 'resume' });
    }
    if (message.type === 'request') tell({ type: 'reply', id: message.id, ...answer(message) });
  };
});

const settings = {
  name: 'test',
  mongodb: { uri: null, db: null },
  sync: { collection: 'resources', key: 'id', token: null, maxBytes: 1e6, uploadTimeout: 5_000, runTimeout: 60_000 },
  maintenance: { onPause: 'refuse', readyGrace: 10_000, drainTimeout: 5_000, page: null, except: [], allow: [] },
  heartbeat: { interval: 1_000 },
  spoolDir: '/nonexistent',
};

/** Messages arrive as over IPC: after what is running. */
export function tell(message: object): void {
  const carried = epoch;
  queueMicrotask(() => deliver({ quiesce: 1, slot: 0, incarnation: 0, epoch: carried, ...message }));
}

export function answerWith(next: typeof answer): void {
  answer = next;
}

const info: PauseInfo = {
  holds: [{ kind: 'operator', reason: 'the nightly check', since: new Date(0).toISOString() }],
  run: null,
  retryAfter: 7_300,
};

export function runtime(): Runtime {
  return getRuntime();
}

/** Pauses at once, without the way over the link. Returns the epoch. */
export function pause(change: Partial<PauseInfo> = {}): number {
  getRuntime().gate.pause(++epoch, { ...info, ...change });
  return epoch;
}

/** Pauses by a message, which comes again as the primary asks again. */
export function tellPause(times: number): void {
  epoch++;
  for (let time = 0; time < times; time++) tell({ type: 'pause', info });
}

export function resume(): void {
  getRuntime().gate.resume(epoch);
}

/** Whether this worker has reported that it is drained in the present pause. */
export function isDrained(): boolean {
  return sent.some((message) => message.type === 'drained' && message.epoch === epoch);
}
