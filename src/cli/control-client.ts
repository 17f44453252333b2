/** Talks to a running primary through its control socket. */
import http from 'node:http';
import { QuiesceError, toQuiesceError } from '../errors.ts';
import { lifeOf, readOwner } from '../primary/data-dir/lock-owner.ts';
import { controlSocket, shortSocketPath } from '../primary/admin/control-socket.ts';
import type { ExecEnd, HandedOver } from '../protocol/api/answers.ts';
import type { Check } from '../protocol/check.ts';
import type * as Checks from '../protocol/api/generated-answer-checks.js';
import { clusterStatus, problem } from '../protocol/api/generated-status-checks.js';
import type { NotifyTest } from '../protocol/api/notify-test.ts';
import type { ClusterStatus, ReloadAnswer, RunRecord } from '../protocol/api/runs.ts';

/** If an answer takes longer, the primary hangs, ms. Operations that may take long have no such limit. */
const quick = 10_000;

/** The user who gives the order. */
interface Order {
  readonly by?: string;
}

interface MaintenanceBody extends Order {
  readonly on: boolean;
  readonly here?: boolean;
  readonly reason?: string;
  readonly for?: number;
  readonly at?: string;
  readonly wait?: boolean;
  readonly timeout?: number;
  readonly keep?: boolean;
  readonly secret?: string;
}

interface HandOverBody extends Order {
  readonly node: string;
  readonly main: string;
  readonly called: string | null;
  readonly wait: boolean;
}

interface ExecBody extends Order {
  readonly reason?: string;
  readonly timeout?: number;
  readonly keepOnFailure?: boolean;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

type Answers = typeof Checks;

/** The check of an answer. `status` is used as a health check and needs none of these. */
async function answer<N extends keyof Answers>(name: N): Promise<Answers[N]> {
  return (await import('../protocol/api/generated-answer-checks.js'))[name];
}

export class ControlClient {
  readonly dataDir: string;

  constructor(dataDir: string) {
    this.dataDir = dataDir;
  }

  status(): Promise<ClusterStatus> {
    return this.#call('GET', '/api/status', clusterStatus);
  }

  async urls(): Promise<string[]> {
    return (await this.#call('GET', '/api/urls', answer('urls'))).urls;
  }

  /** With `wait`, resolves when the cluster is quiesced. */
  maintenance(change: MaintenanceBody): Promise<ClusterStatus> {
    const options = change.wait === true ? { timeout: 0 } : {};
    return this.#call('POST', '/api/maintenance', clusterStatus, { body: change, ...options });
  }

  /**
   * Resolves when all workers are replaced and use the new configuration; with `dryRun`, when the file has been read.
   */
  reload(order: Order & { readonly dryRun?: boolean; readonly all?: boolean } = {}): Promise<ReloadAnswer> {
    return this.#call('POST', '/api/reload', answer('reloadAnswer'), { body: order, timeout: 0 });
  }

  /** Resolves when another primary serves; `over` when no worker of the former one is left, with warnings. */
  async handOver(order: HandOverBody): Promise<HandedOver & { over: Promise<readonly string[]> }> {
    const [begun, ended] = [await answer('handedOver'), await answer('handOverEnd')];
    const accept = 'application/x-ndjson';
    const { first, rest } = await this.#lines('/api/handover', begun, { body: order, accept });
    // An older primary answers with one line.
    const over = rest.then((last) =>
      last === undefined ? [] : this.#read({ status: 200, text: last }, ended).warnings,
    );
    over.catch(() => undefined); // reported to those who wait for it
    return { ...first, over };
  }

  /** @param instances a number, or a step such as `+1` */
  scale(instances: number | string, order: Order = {}): Promise<ClusterStatus> {
    return this.#call('POST', '/api/scale', clusterStatus, { body: { instances, ...order }, timeout: 0 });
  }

  removeHost(name: string, order: Order = {}): Promise<ClusterStatus> {
    return this.#call('POST', `/api/hosts/${encodeURIComponent(name)}/remove`, clusterStatus, { body: order });
  }

  stop(now: boolean, order: Order = {}): Promise<{ pid: number }> {
    return this.#call('POST', '/api/stop', answer('stopAnswer'), { body: { now, ...order } });
  }

  /** Resolves when the cluster is quiesced for a command. The run lasts while the HTTP answer is open. */
  async exec(order: ExecBody, signal: AbortSignal): Promise<{ run: string; over: Promise<void> }> {
    const { first, rest } = await this.#lines('/api/exec', await answer('execStart'), { body: order, signal });
    return { run: first.run, over: rest.then(() => undefined) };
  }

  /** Resolves when the run's hold has ended or has become an operator's hold. */
  execEnd(run: string, how: object): Promise<ExecEnd> {
    return this.#call('POST', `/api/exec/${encodeURIComponent(run)}/end`, answer('execEnd'), { body: how });
  }

  /** Resolves when each receiver has answered or timed out. */
  notifyTest(): Promise<NotifyTest> {
    return this.#call('POST', '/api/notify/test', answer('notifyTest'), { body: {}, timeout: 0 });
  }

  async runs(limit: number): Promise<RunRecord[]> {
    return (await this.#call('GET', `/api/runs?limit=${limit}`, answer('runList'))).items;
  }

  run(id: string): Promise<RunRecord> {
    return this.#call('GET', `/api/runs/${encodeURIComponent(id)}`, answer('runRecord'));
  }

  /** Resolves when the run has ended. */
  cancel(id: string, order: Order = {}): Promise<RunRecord> {
    return this.#end(id, 'cancel', order);
  }

  abandon(id: string, order: Order = {}): Promise<RunRecord> {
    return this.#end(id, 'abandon', order);
  }

  #end(id: string, how: 'cancel' | 'abandon', order: Order): Promise<RunRecord> {
    const path = `/api/runs/${encodeURIComponent(id)}/${how}`;
    return this.#call('POST', path, answer('runRecord'), { body: order, timeout: 0 });
  }

  /** Yields the current status and each later change, until the primary ends. */
  async *watch(signal?: AbortSignal): AsyncGenerator<ClusterStatus> {
    const response = await this.#open('GET', '/api/events', signal === undefined ? {} : { signal });
    response.setEncoding('utf8');
    const { eventData } = await import('./event-stream.ts');
    try {
      for await (const text of eventData(response)) yield this.#read({ status: 200, text }, clusterStatus);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
    }
  }

  async #call<T>(
    method: string,
    path: string,
    check: Check<T> | Promise<Check<T>>,
    options: { body?: unknown; timeout?: number } = {},
  ): Promise<T> {
    return this.#read(await this.#request(method, path, options), await check);
  }

  #read<T>({ status, text }: Answer, check: Check<T>): T {
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch (cause) {
      throw new QuiesceError(
        'no-primary',
        `What answers on the control socket in ${this.dataDir} is not a quiesce primary.`,
        { cause },
      );
    }
    if (status < 400 && check(body)) return body;
    if (status >= 400 && problem(body))
      throw QuiesceError.fromProblem(body as Parameters<typeof QuiesceError.fromProblem>[0]);
    throw new QuiesceError(
      'no-primary',
      `The primary in ${this.dataDir} answers in a way this command does not know; are both of the same version?`,
      { cause: new Error(JSON.stringify((status < 400 ? check : problem).errors)) },
    );
  }

  async #request(method: string, path: string, options: { body?: unknown; timeout?: number }): Promise<Answer> {
    const response = await this.#open(method, path, options);
    response.setEncoding('utf8');
    return this.#rest(response);
  }

  async #rest(response: http.IncomingMessage): Promise<Answer> {
    let text = '';
    try {
      for await (const chunk of response) text += String(chunk);
    } catch (cause) {
      throw this.#unreachable(cause as Error);
    }
    return { status: response.statusCode ?? 0, text };
  }

  /** The first line of an answer that goes on, and what follows: the next line, or undefined if the answer just ends. */
  async #lines<T>(
    path: string,
    check: Check<T>,
    options: { body: unknown; signal?: AbortSignal; accept?: string },
  ): Promise<{ first: T; rest: Promise<string | undefined> }> {
    const { linesOf } = await import('./lines.ts');
    const response = await this.#open('POST', path, { timeout: 0, ...options });
    response.setEncoding('utf8');
    if (response.statusCode !== 200) return this.#read(await this.#rest(response), check) as never;
    const lines = linesOf(response);
    const { value: text = '' } = await lines.next().catch((cause: Error) => Promise.reject(this.#unreachable(cause)));
    const rest = lines.next().then(
      ({ value }) => value,
      () => undefined, // it was killed
    );
    return { first: this.#read({ status: 200, text }, check), rest };
  }

  #open(
    method: string,
    path: string,
    {
      body,
      timeout = quick,
      signal,
      accept,
    }: { body?: unknown; timeout?: number; signal?: AbortSignal; accept?: string },
  ): Promise<http.IncomingMessage> {
    return new Promise((resolve, reject) => {
      let short: ReturnType<typeof shortSocketPath>;
      try {
        short = shortSocketPath(controlSocket(this.dataDir));
      } catch (error) {
        reject(toQuiesceError(error, 'no-primary'));
        return;
      }
      const headers = {
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(accept === undefined ? {} : { Accept: accept }),
      };
      // Without `servername` Node tests whether the host is an IPv6 address, by a regular expression that takes longer
      // to compile than a status takes to be answered.
      const to = { socketPath: short.name, servername: '', path, method, headers, timeout, signal };
      const request = http.request(to, (response) => {
        // No timeout from here on: the status may not change for hours.
        request.setTimeout(0);
        resolve(response);
      });
      request.on('socket', (socket) => {
        // A kept-alive connection is already open.
        if (socket.connecting) socket.once('connect', short.done);
        else short.done();
      });
      request.on('timeout', () => request.destroy(new Error('it did not answer in time')));
      request.on('error', (cause) => {
        short.done();
        reject(this.#unreachable(cause));
      });
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  #unreachable(cause: Error): QuiesceError {
    return new QuiesceError('no-primary', this.#whyUnreachable(cause), { cause });
  }

  #whyUnreachable({ code, message }: NodeJS.ErrnoException): string {
    const socket = controlSocket(this.dataDir);
    if (code === 'EACCES') return `The control socket ${socket} belongs to another user; run the command as that user.`;
    if (code === 'ECONNRESET') return `The primary in ${this.dataDir} went away before it answered.`;
    if (code !== 'ENOENT' && code !== 'ECONNREFUSED')
      return `The primary in ${this.dataDir} does not answer: ${message}.`;
    const owner = readOwner(this.dataDir);
    if (owner !== undefined && lifeOf(owner) === 'alive') {
      return `The primary with pid ${owner.pid} does not listen on ${socket}: it is starting or ending, or somebody removed that socket. Ask again in a moment, or stop it: kill ${owner.pid}`;
    }
    return `No primary is running in ${this.dataDir}. Start one with \`quiesce start\`, or name the data directory of another with --data-dir.`;
  }
}
