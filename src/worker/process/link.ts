/**
 * The worker's end of the channel to its primary. States: open → lost, which is final. Each request to a lost primary
 * is refused with `no-primary`.
 */
import { QuiesceError, type Problem } from '../../errors.ts';
import { faultsOf } from '../../protocol/check.ts';
import { isToWorker } from '../../protocol/workers/checks.ts';
import type { FromWorker, Replies, RequestBody, ToWorker } from '../../protocol/workers/messages.ts';
import type { RunRecord } from '../../protocol/api/runs.ts';

/** A message without its envelope. */
export type Outgoing = FromWorker extends infer M
  ? M extends FromWorker
    ? Omit<M, 'quiesce' | 'slot' | 'incarnation'>
    : never
  : never;

/** How messages reach the primary: IPC, or a call in the same process. `done` gets the error if a message cannot be delivered, else null. */
export type Transport = (message: FromWorker, done: (error: Error | null) => void) => void;

export interface Identity {
  readonly slot: number;
  readonly incarnation: number;
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: QuiesceError): void;
}

/** For requests that the primary answers from memory, ms. */
export const requestTimeout = 5_000;

export class Link {
  readonly identity: Identity;
  readonly #transport: Transport;
  readonly #pending = new Map<number, Pending>();
  readonly #handlers = new Set<(message: ToWorker) => void>();
  readonly #watchers = new Map<string, Set<(run: RunRecord) => void>>();
  #nextId = 1;
  #lost: QuiesceError | null = null;

  constructor(identity: Identity, transport: Transport) {
    this.identity = identity;
    this.#transport = transport;
  }

  get lost(): boolean {
    return this.#lost !== null;
  }

  /** Every valid message but replies and `run-changed`, in order of arrival. */
  onMessage(handler: (message: ToWorker) => void): void {
    this.#handlers.add(handler);
  }

  send(message: Outgoing, done: (error: Error | null) => void = () => {}): void {
    if (this.#lost) return done(this.#lost);
    const { slot, incarnation } = this.identity;
    this.#transport({ quiesce: 1, slot, incarnation, ...message }, done);
  }

  /**
   * Sends a request to the primary. Rejects with the problem in its answer, or with `no-primary` if the primary is
   * gone, or does not answer within `timeout` (ms; no limit by default). `late` gets a value that arrives after that:
   * what it grants must be undone.
   */
  request<Op extends RequestBody['op']>(
    body: Extract<RequestBody, { op: Op }>,
    options: { timeout?: number; late?: (value: Replies[Op]) => void } = {},
  ): Promise<Replies[Op]> {
    return new Promise<Replies[Op]>((resolve, reject) => {
      if (this.#lost) return reject(this.#lost);
      const id = this.#nextId++;
      let timer: NodeJS.Timeout | undefined;
      const settled = (): void => {
        clearTimeout(timer);
        this.#pending.delete(id);
      };
      const pending: Pending = {
        resolve: (value) => {
          settled();
          resolve(value as Replies[Op]);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      };
      this.#pending.set(id, pending);
      const { timeout, late } = options;
      if (timeout !== undefined) {
        timer = setTimeout(() => {
          pending.reject(noPrimary(`The primary did not answer '${body.op}' within ${timeout} ms.`));
          if (late) this.#pending.set(id, { resolve: (value) => late(value as Replies[Op]), reject: () => {} });
        }, timeout);
      }
      this.send({ type: 'request', epoch: 0, id, body: body as RequestBody }, (error) => {
        if (error) pending.reject(noPrimary(`The primary cannot be reached: ${error.message}`));
      });
    });
  }

  /** Settles as `work` does, or rejects with `no-primary` as soon as the primary is gone; the work itself continues. */
  unlessLost<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#lost) return reject(this.#lost);
      const id = this.#nextId++;
      this.#pending.set(id, { resolve, reject });
      work.then(resolve, reject).finally(() => this.#pending.delete(id));
    });
  }

  /** Follows a run. Returns its current record and a function that stops following. */
  async watch(run: string, listener: (run: RunRecord) => void): Promise<{ current: RunRecord; stop: () => void }> {
    const listeners = this.#watchers.get(run) ?? new Set();
    this.#watchers.set(run, listeners);
    listeners.add(listener);
    const stop = (): void => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#watchers.delete(run);
    };
    try {
      return { current: await this.request({ op: 'watch', run }, { timeout: requestTimeout }), stop };
    } catch (error) {
      stop();
      throw error;
    }
  }

  /** Handles a message from the transport. A malformed message is reported and dropped. */
  receive(message: unknown): void {
    if (!isToWorker(message)) {
      const what = `A malformed message from the primary was dropped: ${faultsOf(isToWorker)}`;
      process.emitWarning(what, { code: 'QUIESCE_PROTOCOL' });
      return;
    }
    if (message.slot !== this.identity.slot || message.incarnation !== this.identity.incarnation) return;
    if (message.type === 'reply') {
      const pending = this.#pending.get(message.id);
      this.#pending.delete(message.id);
      if (message.problem) pending?.reject(QuiesceError.fromProblem(message.problem as Problem));
      else pending?.resolve(message.value);
    } else if (message.type === 'run-changed') {
      for (const listener of this.#watchers.get(message.run.id) ?? []) listener(message.run);
    } else {
      for (const handler of this.#handlers) handler(message);
    }
  }

  /** The primary is gone: refuses all pending and all later requests. */
  lose(): void {
    if (this.#lost) return;
    this.#lost = noPrimary('The primary is gone and this worker is stopping. Send the request again in a moment.');
    for (const pending of this.#pending.values()) pending.reject(this.#lost);
  }
}

function noPrimary(detail: string): QuiesceError {
  return new QuiesceError('no-primary', detail);
}

/** Whether the message is from quiesce: the app and node:cluster use the same channel. */
export function isQuiesceMessage(raw: unknown): boolean {
  return typeof raw === 'object' && raw !== null && (raw as { quiesce?: unknown }).quiesce === 1;
}
