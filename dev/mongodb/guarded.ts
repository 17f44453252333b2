/** The owner's side of the guardian: start a mongod, know its pid, learn of its end. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { GuardianReport, StartOrder } from './guardian.ts';

export class GuardedMongod {
  /** Null while none runs. */
  pid: number | null = null;
  /** How the last one ended. */
  ending = '';
  readonly #guardian: ChildProcessByStdio<Writable, Readable, null>;
  readonly #events = new EventEmitter<{ changed: [] }>();

  constructor() {
    const file = fileURLToPath(new URL('./guardian.js', import.meta.url));
    // A session of its own: a Ctrl-C, or the kill of a process group, reaches the owner only.
    this.#guardian = spawn(process.execPath, [file], { detached: true, stdio: ['pipe', 'pipe', 'ignore'] });
    const reports = createInterface({ input: this.#guardian.stdout });
    reports.on('line', (line) => this.#onReport(JSON.parse(line) as GuardianReport));
    this.#guardian.on('error', (error) => this.#onReport({ type: 'ended', how: error.message }));
    this.#guardian.on('exit', () => {
      this.kill(); // unguarded, it could outlive this process
      this.#onReport({ type: 'ended', how: 'its guardian was killed' });
    });
    this.#guardian.stdin.on('error', () => {});
    // The owner may end without a word; then the guardian does what is left to do.
    this.#guardian.unref();
    (this.#guardian.stdin as Socket).unref();
    (this.#guardian.stdout as Socket).unref();
  }

  #onReport(report: GuardianReport): void {
    if (report.type === 'started') this.pid = report.pid;
    else {
      this.pid = null;
      this.ending = report.how;
    }
    this.#events.emit('changed');
  }

  get #isOver(): boolean {
    return this.#guardian.exitCode !== null || this.#guardian.signalCode !== null;
  }

  /** Resolves with the pid. */
  async start(order: StartOrder): Promise<number> {
    if (this.#isOver) throw new Error(`mongod did not start: ${this.ending}`);
    this.#guardian.stdin.write(`${JSON.stringify(order)}\n`);
    await this.#nextChange();
    if (this.pid === null) throw new Error(`mongod did not start: ${this.ending}`);
    return this.pid;
  }

  async ended(): Promise<void> {
    while (this.pid !== null) await this.#nextChange();
  }

  kill(): void {
    if (this.pid === null) return;
    try {
      process.kill(this.pid, 'SIGKILL');
    } catch {
      // It has ended, and the word of it is on its way.
    }
  }

  /** Kills what still runs, and throws away what is to be. */
  async close(): Promise<void> {
    if (this.#isOver) return;
    this.#guardian.ref();
    const exited = once(this.#guardian, 'exit');
    this.#guardian.stdin.end();
    await exited;
  }

  /** The guardian is referenced meanwhile, or the process might end in the middle of the await. */
  async #nextChange(): Promise<void> {
    this.#guardian.ref();
    try {
      await once(this.#events, 'changed');
    } finally {
      this.#guardian.unref();
    }
  }
}
