/**
 * Workers whose primary has died end by themselves, unless they cannot: one that is stopped, or stuck in a loop, would go
 * on with its handlers as soon as it can, next to a run of the next primary, and keeps the port meanwhile. So the
 * processes are on record, and the next primary ends those that are left before it does anything.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import { QuiesceError } from '../../errors.ts';
import { writeWhole } from '../data-dir/durable.ts';
import { describeProcess, lifeOf } from '../data-dir/lock-owner.ts';
import type { WorkerEvents } from '../ports.ts';
import { keyOf } from '../worker-ref.ts';

const processRecord = z.object({ pid: z.int().positive(), startTime: z.string().nullable(), place: z.string() });
type ProcessRecord = z.infer<typeof processRecord>;

export interface RecordedWorkers extends WorkerEvents {
  /** Resolves when the file is what was last known: the next primary has a file of its own to write. */
  flush(): Promise<void>;
  /** Writes the file anew, after somebody has removed it. */
  restore(): Promise<void>;
}

/** The same events for the same receiver; who lives is written to the file on the way. */
export function recordWorkers(events: WorkerEvents, file: string, log: Logger): RecordedWorkers {
  const workers = new Map<string, ProcessRecord>();
  let writing: Promise<void> = Promise.resolve();
  const write = (): Promise<void> => {
    const text = `${JSON.stringify([...workers.values()])}\n`;
    // After a power cut there is no process left to be ended, so nothing need be synced.
    writing = writing
      .then(() => writeWhole(file, text))
      .catch((error: unknown) => log.warn({ err: error, file }, 'who the workers are cannot be put on record'));
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

/** How long they are given to answer whom they can and to end by themselves, ms. */
const grace = 1_000;
const killWait = 5_000;

/**
 * Resolves when no worker of a former primary is left on this machine.
 * @throws QuiesceError `already-running` where one cannot be ended
 */
export async function endFormerWorkers(file: string, log: Logger): Promise<void> {
  const former = await read(file);
  // Where start times are not known (off Linux) a pid may be anybody's by now.
  const left = (): ProcessRecord[] => former.filter((each) => each.startTime !== null && lifeOf(each) === 'alive');
  if (await gone(left, grace)) return;
  for (const { pid } of left()) {
    log.warn({ workerPid: pid }, `worker ${pid} of a former primary has not ended by itself and is killed`);
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
    return []; // none yet, or cut short: they end by themselves, as a rule
  }
}

/** @throws Error where it may not be done */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It has ended between the look and the signal, which is all that was wanted.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function gone(left: () => readonly unknown[], within: number): Promise<boolean> {
  for (const deadline = performance.now() + within; left().length > 0; await delay(20))
    if (performance.now() > deadline) return false;
  return true;
}
