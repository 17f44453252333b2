/** The primary's view of one forked process: its channel, its output, its end. Decides nothing. */
import cluster, { type Address, type Worker } from 'node:cluster';
import { afterReading } from '../../../after-reading.ts';
import type { AppConfig } from '../../../config.ts';
import { ownFile } from '../../../own-files.ts';
import type { ToWorker } from '../../../protocol/workers/messages.ts';
import type { Grace } from '../../../protocol/workers/messages.ts';
import type { OutgoingMessage, WorkerRef } from '../../ports.ts';
import { WorkerOutput, type LineListener } from './worker-output.ts';

export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
  /** Its last lines on stderr, and after a stop on stdout as well. */
  readonly lastWords: string;
}

export interface ProcessListener {
  message(raw: unknown): void;
  listening(address: Address): void;
  line: LineListener;
  /** Once, after its last message and its last line. */
  end(end: ProcessEnd): void;
}

/** How long output and messages may come after the exit, ms: a child of the worker can keep its pipes open. */
const afterExit = 500;
const bootScript = new URL('../../../worker/process/boot.js', import.meta.url);

/** Settings that no later fork can change. Must be called once per process, before the first fork. */
export function setUpCluster(config: AppConfig): void {
  cluster.schedulingPolicy = config.scheduling === 'rr' ? cluster.SCHED_RR : cluster.SCHED_NONE;
  cluster.setupPrimary({ stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
}

type Variables = Readonly<Record<string, string | undefined>>;

export class WorkerProcess {
  readonly ref: WorkerRef;
  readonly #worker: Worker;
  readonly #output: WorkerOutput;

  /**
   * Forks. Throws if the system refuses a process, or if the boot file is gone.
   *
   * @param inherited variables that it gets in place of the primary's own; those of the configuration win
   */
  constructor(ref: WorkerRef, config: AppConfig, inherited: Variables, listener: ProcessListener) {
    this.ref = ref;
    cluster.setupPrimary({
      exec: ownFile(bootScript),
      args: [config.script, ...config.args],
      execArgv: [...config.nodeArgs],
      cwd: config.cwd,
    });
    this.#worker = cluster.fork({ ...inherited, ...environment(ref, config) });
    const { stdout, stderr } = this.#worker.process;
    this.#output = new WorkerOutput({ stdout, stderr }, listener.line);
    this.#worker.on('message', (raw: unknown) => listener.message(raw));
    this.#worker.on('listening', (address) => listener.listening(address));
    this.#worker.on('error', () => {}); // a send to a process that has just ended; `end` reports it
    this.#watchEnd(listener);
  }

  get pid(): number | null {
    return this.#worker.process.pid ?? null;
  }

  /** Requests it to finish within that time. Its output from now on counts as its last words. */
  stop(grace: Grace): void {
    this.#output.listen();
    this.send({ type: 'stop', epoch: 0, ...grace });
  }

  /** False if its channel is closed. */
  send(message: OutgoingMessage): boolean {
    if (!this.#worker.isConnected()) return false;
    const { slot, incarnation } = this.ref;
    const full = { quiesce: 1, slot, incarnation, ...message } as ToWorker;
    this.#worker.process.send(full, (error) => void error);
    return true;
  }

  kill(): void {
    this.#worker.process.kill('SIGKILL');
  }

  #watchEnd(listener: ProcessListener): void {
    const child = this.#worker.process;
    let ended = false;
    const end = (code: number | null, signal: string | null): void => {
      if (ended) return;
      ended = true;
      listener.end({ code, signal, lastWords: this.#output.lastWords });
    };
    child.once('exit', (code: number | null, signal: string | null) => {
      const limit = afterReading(afterExit, () => end(code, signal));
      // Not node:events' `once`: it rejects at an `error`, for example of a late send, and nothing would catch that.
      const heard = (name: string): Promise<void> => new Promise((resolve) => child.once(name, () => resolve()));
      const closed = heard('close');
      const disconnected = child.connected ? heard('disconnect') : Promise.resolve();
      void Promise.all([closed, disconnected]).then(() => {
        clearTimeout(limit);
        end(code, signal);
      });
    });
    child.once('error', (error) => {
      // The fork made no process, so there will be no exit.
      if (child.pid === undefined) end(null, error.message);
    });
  }
}

function environment({ slot, incarnation }: WorkerRef, config: AppConfig): Variables {
  const { env, instanceVar, incrementVar } = config;
  return {
    ...env,
    [instanceVar]: String(slot),
    ...(incrementVar === null ? {} : { [incrementVar]: String(Number(env[incrementVar] ?? 0) + slot) }),
    QUIESCE_SLOT: String(slot),
    QUIESCE_INCARNATION: String(incarnation),
    // The app's code does not need it; whatever needs it gets it over the channel.
    QUIESCE_SYNC_TOKEN: undefined,
  };
}
