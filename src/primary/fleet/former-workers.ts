/**
 * Workers whose primary has died end by themselves, unless they cannot: a worker that is stopped or in an endless loop
 * keeps the port, and its handlers would go on as soon as it can run, beside a run of the next primary. So the
 * processes are recorded, and the next primary ends those that are left before it does anything else.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import { QuiesceError } from '../../errors.ts';
import { writeWhole } from '../data-dir/durable.ts';
import { describeProcess, lifeOf } from '../data-dir/lock-owner.ts';
import { processRecord, type ProcessRecord } from '../../protocol/lock-owner.ts';
import type { WorkerEvents } from '../ports.ts';
import { keyOf } from '../worker-ref.ts';

export interface RecordedWorkers extends WorkerEvents {
  /** Resolves when the file has the latest state: the next primary writes the same file. */
  flush(): Promise<void>;
  /** Writes the file again after it was removed. */
  restore(): Promise<void>;
}

/** Passes each event on to `events`, and records in the file which workers are alive. */
export function recordWorkers(events: WorkerEvents, file: string, log: Logger): RecordedWorkers {
  const workers = new Map<string, ProcessRecord>();
  let writing: Promise<void> = Promise.resolve();
  const write = (): Promise<void> => {
    const text = `${JSON.stringify([...workers.values()])}\n`;
    // Not synced: after a power cut there is no process left to end.
    writing = writing
      .then(() => writeWhole(file, text))
      .catch((error: unknown) => log.warn({ err: error, file }, 'the list of workers cannot be written'));
    return writing;
  };
  return {
    forked: (ref) => events.forked(ref),
    message: (ref, message) => {
      if (message.type === 'hello') {
        workers.set(keyOf(ref), describeProcess(message.pid));
        void write();
      }
      events.message(ref, message);
    },
    gone: (ref, exit) => {
      workers.delete(keyOf(ref));
      void write();
      events.gone(ref, exit);
    },
    backoff: (slot, looping) => events.backoff?.(slot, looping),
    flush: () => writing,
    restore: write,
  };
}

/** How long they have to answer their clients and to end by themselves, ms. */
const grace = 1_000;
const killWait = 5_000;

/**
 * Resolves when no worker of a former primary is left on this machine.
 * @throws QuiesceError `already-running` if one of them cannot be ended
 */
export async function endFormerWorkers(file: string, log: Logger): Promise<void> {
  const former = await read(file);
  // Without start times (outside Linux) a pid may belong to any other process by now.
  const left = (): ProcessRecord[] => former.filter((each) => each.startTime !== null && lifeOf(each) === 'alive');
  if (await gone(left, grace)) return;
  for (const { pid } of left()) {
    log.warn({ workerPid: pid }, `worker ${pid} of a former primary did not end by itself and is killed`);
    kill(pid);
  }
  if (await gone(left, killWait)) return;
  const pids = left().map(({ pid }) => pid);
  throw new QuiesceError(
    'already-running',
    `Workers of a former primary are still there and cannot be ended: ${pids.join(', ')}. They may be at work, so nothing is started.`,
    { extra: { pid: pids[0] } },
  );
}

async function read(file: string): Promise<ProcessRecord[]> {
  try {
    return z.array(processRecord).parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return []; // none yet, or cut short: workers normally end by themselves
  }
}

/** @throws Error if it is not permitted */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It ended in between, which is all that is needed.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function gone(left: () => readonly unknown[], within: number): Promise<boolean> {
  for (const deadline = performance.now() + within; left().length > 0; await delay(20))
    if (performance.now() > deadline) return false;
  return true;
}
