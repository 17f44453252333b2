/** The thread that mirrors the feeds of runs. It starts at its first use, and is replaced where a run does not let it go. */
import type { Logger } from 'pino';
import type { MirrorThread } from '../../../mirror/handle.ts';
import { endPreparation, letsGo, warnOfStuck } from './cancel-within.ts';
import { quietly } from '../history/quietly.ts';

export class RunThread {
  readonly #start: () => MirrorThread;
  readonly #log: Logger;
  #thread: MirrorThread | null = null;
  #isClosed = false;

  constructor(start: () => MirrorThread, log: Logger) {
    this.#start = start;
    this.#log = log;
  }

  get(): MirrorThread {
    return (this.#thread ??= this.#start());
  }

  /** What is at work in it fails; the next call of `get` starts another one. */
  async end(): Promise<void> {
    const thread = this.#thread;
    this.#thread = null;
    await thread?.close(0);
  }

  /** For good. `grace`: for the current write, ms. */
  async close(grace?: number): Promise<void> {
    this.#isClosed = true;
    await this.#thread?.close(grace);
  }

  /** Removes what is left there of a run that has ended. */
  async forget(run: string): Promise<void> {
    if (!this.#isClosed && this.#thread) await quietly(this.#log, this.#thread.cancel(run), run);
  }

  /** Cancels a run that has written nothing. The next run does not wait for this one to stop. */
  cancelPreparation(run: string): Promise<void> {
    const thread = this.get();
    this.#thread = null;
    return endPreparation(thread, run, this.#log);
  }

  /** Cancels a run. If it does not stop in time, the thread ends, too; a write in progress is then half done. */
  async cancel(run: string, grace: number): Promise<void> {
    const thread = this.get();
    if ((await letsGo(thread, run, grace)) || this.#isClosed || this.#thread !== thread) return;
    warnOfStuck(this.#log, run, grace);
    await this.end();
  }
}
