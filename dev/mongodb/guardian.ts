/**
 * A process between a mongod and the process that owns it. It sits in a session of its own and reads a pipe whose
 * other end only the owner holds: when the owner ends, in whatever way, the pipe does too, and mongod goes with it.
 *
 * states: idle → running (start) → idle (mongod ended) …; from any, the end of the pipe leads to ended.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';

export interface StartOrder {
  readonly command: string;
  readonly args: readonly string[];
  /** Takes mongod's output. A pipe to the owner would fill up whenever the owner's event loop is busy. */
  readonly logFile: string;
  readonly record: string;
  readonly throwAway: string | null;
}

export type GuardianReport =
  | { readonly type: 'started'; readonly pid: number }
  | { readonly type: 'ended'; readonly how: string };

let child: ChildProcess | undefined;
let order: StartOrder | undefined;

function report(message: GuardianReport): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function start(next: StartOrder): void {
  order = next;
  const log = openSync(next.logFile, 'w', 0o600);
  const started = spawn(next.command, next.args, { stdio: ['ignore', log, log] });
  closeSync(log);
  child = started;
  const ended = (how: string): void => {
    if (child !== started) return;
    child = undefined;
    report({ type: 'ended', how });
  };
  started.once('error', (error) => ended(error.message));
  started.once('exit', (code, signal) => ended(signal ?? `exit code ${code}`));
  if (started.pid !== undefined) report({ type: 'started', pid: started.pid });
}

async function end(): Promise<void> {
  const running = child;
  if (running !== undefined) {
    await new Promise((resolve) => {
      running.once('exit', resolve);
      running.kill('SIGKILL');
    });
  }
  if (order?.throwAway) await rm(order.throwAway, { recursive: true, force: true, maxRetries: 5 });
  if (order !== undefined) await rm(order.record, { force: true });
  process.exit(0);
}

// Only the pipe ends this process; the report of an end may meet a closed one.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGPIPE'] as const) process.on(signal, () => {});
process.on('SIGTERM', () => void end());
process.stdout.on('error', () => {});

const orders = createInterface({ input: process.stdin });
orders.on('line', (line) => start(JSON.parse(line) as StartOrder));
orders.on('close', () => void end());
