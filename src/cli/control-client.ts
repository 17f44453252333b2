/** Talks to a running primary through its control socket. */
import { once } from 'node:events';
import http from 'node:http';
import { z } from 'zod';
import { eventData } from './event-stream.ts';
import { QuiesceError, toQuiesceError } from '../errors.ts';
import { lifeOf, readOwner } from '../primary/data-dir/lock-owner.ts';
import { controlSocket, shortSocketPath } from '../primary/admin/control-socket.ts';
import {
  clusterStatus,
  problem,
  reloadAnswer,
  runRecord,
  type ClusterStatus,
  type ReloadAnswer,
  type RunRecord,
} from '../protocol/runs.ts';
import { notifyTest, type NotifyTest } from '../protocol/notify-test.ts';

/** If an answer takes longer, the primary hangs, ms. Operations that may take long have no such limit. */
const quick = 10_000;

/** The user who gives the order. */
interface Order {
  readonly by?: string;
}

interface MaintenanceBody extends Order {
  readonly on: boolean;
  readonly reason?: string;
  readonly for?: number;
  readonly at?: string;
  readonly wait?: boolean;
  readonly timeout?: number;
  readonly keep?: boolean;
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

const execStart = z.object({ run: z.string() });
const execEnd = z.object({ run: runRecord, held: z.boolean() });

export class ControlClient {
  readonly dataDir: string;

  constructor(dataDir: string) {
    this.dataDir = dataDir;
  }

  status(): Promise<ClusterStatus> {
    return this.#call('GET', '/api/status', clusterStatus);
  }

  async urls(): Promise<string[]> {
    return (await this.#call('GET', '/api/urls', z.object({ urls: z.array(z.string()) }))).urls;
  }

  /** With `wait`, resolves when the cluster is quiesced. */
  maintenance(change: MaintenanceBody): Promise<ClusterStatus> {
    const options = change.wait === true ? { timeout: 0 } : {};
    return this.#call('POST', '/api/maintenance', clusterStatus, { body: change, ...options });
  }

  /**
   * Resolves when all workers are replaced and use the new configuration; with `dryRun`, when the file has been read.
   */
  reload(order: Order & { readonly dryRun?: boolean } = {}): Promise<ReloadAnswer> {
    return this.#call('POST', '/api/reload', reloadAnswer, { body: order, timeout: 0 });
  }

  /** @param instances a number, or a step such as `+1` */
  scale(instances: number | string, order: Order = {}): Promise<ClusterStatus> {
    return this.#call('POST', '/api/scale', clusterStatus, { body: { instances, ...order }, timeout: 0 });
  }

  stop(now: boolean, order: Order = {}): Promise<{ pid: number }> {
    return this.#call('POST', '/api/stop', z.object({ pid: z.number() }), { body: { now, ...order } });
  }

  /** Resolves when the cluster is quiesced for a command. The run lasts while the HTTP answer is open. */
  async exec(order: ExecBody, signal: AbortSignal): Promise<{ run: string; over: Promise<void> }> {
    const answer = await this.#open('POST', '/api/exec', { body: order, timeout: 0, signal });
    answer.setEncoding('utf8');
    if (answer.statusCode !== 200) return this.#read(await this.#rest(answer), execStart) as never;
    const over = new Promise<void>((resolve) => answer.once('close', () => resolve()));
    answer.on('error', () => undefined); // `close` follows
    const [line] = (await once(answer, 'data')) as [string];
    answer.resume();
    return { run: execStart.parse(JSON.parse(line)).run, over };
  }

  /** Resolves when the run's hold has ended or has become an operator's hold. */
  execEnd(run: string, how: object): Promise<{ run: RunRecord; held: boolean }> {
    return this.#call('POST', `/api/exec/${encodeURIComponent(run)}/end`, execEnd, { body: how });
  }

  /** Resolves when each receiver has answered or timed out. */
  notifyTest(): Promise<NotifyTest> {
    return this.#call('POST', '/api/notify/test', notifyTest, { body: {}, timeout: 0 });
  }

  async runs(limit: number): Promise<RunRecord[]> {
    return (await this.#call('GET', `/api/runs?limit=${limit}`, z.object({ items: z.array(runRecord) }))).items;
  }

  run(id: string): Promise<RunRecord> {
    return this.#call('GET', `/api/runs/${encodeURIComponent(id)}`, runRecord);
  }

  /** Resolves when the run has ended. */
  cancel(id: string): Promise<RunRecord> {
    return this.#call('POST', `/api/runs/${encodeURIComponent(id)}/cancel`, runRecord, { timeout: 0 });
  }

  abandon(id: string): Promise<RunRecord> {
    return this.#call('POST', `/api/runs/${encodeURIComponent(id)}/abandon`, runRecord, { timeout: 0 });
  }

  /** Yields the current status and each later change, until the primary ends. */
  async *watch(signal?: AbortSignal): AsyncGenerator<ClusterStatus> {
    const response = await this.#open('GET', '/api/events', signal === undefined ? {} : { signal });
    response.setEncoding('utf8');
    try {
      for await (const data of eventData(response)) yield clusterStatus.parse(JSON.parse(data));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
    }
  }

  async #call<T>(
    method: string,
    path: string,
    schema: z.ZodType<T>,
    options: { body?: unknown; timeout?: number } = {},
  ): Promise<T> {
    return this.#read(await this.#request(method, path, options), schema);
  }

  #read<T>({ status, text }: Answer, schema: z.ZodType<T>): T {
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
    if (status >= 400)
      throw QuiesceError.fromProblem(problem.parse(body) as Parameters<typeof QuiesceError.fromProblem>[0]);
    const result = schema.safeParse(body);
    if (result.success) return result.data;
    throw new QuiesceError(
      'no-primary',
      `The primary in ${this.dataDir} answers in a way this command does not know; are both of the same version?`,
      {
        cause: result.error,
      },
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

  #open(
    method: string,
    path: string,
    { body, timeout = quick, signal }: { body?: unknown; timeout?: number; signal?: AbortSignal },
  ): Promise<http.IncomingMessage> {
    return new Promise((resolve, reject) => {
      let short: ReturnType<typeof shortSocketPath>;
      try {
        short = shortSocketPath(controlSocket(this.dataDir));
      } catch (error) {
        reject(toQuiesceError(error, 'no-primary'));
        return;
      }
      const headers = body === undefined ? {} : { 'Content-Type': 'application/json' };
      const request = http.request({ socketPath: short.name, path, method, headers, timeout, signal }, (response) => {
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
