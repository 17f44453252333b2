/**
 * Workers whose primary has died end by themselves, unless they cannot: a worker that is stopped or in an endless loop
 * keeps the port, and its handlers would go on as soon as it can run, beside a run of the next primary. So the
 * processes are recorded, and the next primary ends those that are left before it does anything else.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import * as z from '../../../vendor/zod.ts';
import { QuiesceError } from '../../../errors.ts';
import { writeWhole } from '../../data-dir/durable.ts';
import { describeProcess, lifeOf } from '../../data-dir/lock-owner.ts';
import { processRecord } from '../../../protocol/lock-owner.ts';
import type { Writer } from '../../handover/give-up.ts';
import type { WorkerEvents } from '../../ports.ts';
import { keyOf } from '../../worker-ref.ts';

const workerRecord = processRecord.extend({
  /** The pid of its primary. */
  primary: z.int().positive().optional(),
});
export type WorkerRecord = z.infer<typeof workerRecord>;

export interface RecordedWorkers extends WorkerEvents, Writer {
  /** Resolves when the file has the latest state: the next primary writes the same file. */
  flush(): Promise<void>;
  /** Writes the file again after it was removed. */
  restore(): Promise<void>;
}

/**
 * Passes each event on to `events`, and records in the file which workers are alive.
 *
 * @param others workers of former primaries that stay on record
 */
export function recordWorkers(
  events: WorkerEvents,
  file: string,
  log: Logger,
  others: () => readonly WorkerRecord[] = () => [],
): RecordedWorkers {
  const workers = new Map<string, WorkerRecord>();
  let writing: Promise<void> = Promise.resolve();
  let isSuspended = false;
  const write = (): Promise<void> => {
    if (isSuspended) return writing;
    const text = `${JSON.stringify([...workers.values(), ...others()])}\n`;
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
        workers.set(keyOf(ref), { ...describeProcess(message.pid), primary: process.pid });
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
    suspend: () => {
      isSuspended = true;
      return writing;
    },
    resume: () => {
      isSuspended = false;
      void write();
    },
  };
}

/** How long they have to answer their clients and to end by themselves, ms. */
const grace = 1_000;
const killWait = 5_000;

/**
 * Resolves when no worker of a former primary is left on this machine, but for those of primaries that finish what is in
 * flight. Returns these.
 *
 * @param spared the pids of such primaries
 * @throws QuiesceError `already-running` if one of them cannot be ended
 */
export async function endFormerWorkers(
  file: string,
  log: Logger,
  spared: readonly number[] = [],
): Promise<WorkerRecord[]> {
  const all = await read(file);
  const isSpared = ({ primary }: WorkerRecord): boolean => primary !== undefined && spared.includes(primary);
  await endWorkers(
    all.filter((each) => !isSpared(each)),
    log,
  );
  return all.filter(isSpared);
}

/**
 * Resolves when none of them is left on this machine.
 * @throws QuiesceError `already-running` if one of them cannot be ended
 */
export async function endWorkers(former: readonly WorkerRecord[], log: Logger): Promise<void> {
  // Without start times (outside Linux) a pid may belong to any other process by now.
  const left = (): WorkerRecord[] => former.filter((each) => each.startTime !== null && lifeOf(each) === 'alive');
  if (await allGone(left, grace)) return;
  for (const { pid } of left()) {
    log.warn({ workerPid: pid }, `worker ${pid} of a former primary did not end by itself and is killed`);
    kill(pid);
  }
  if (await allGone(left, killWait)) return;
  const pids = left().map(({ pid }) => pid);
  throw new QuiesceError(
    'already-running',
    `Workers of a former primary are still there and cannot be ended: ${pids.join(', ')}. They may be at work, so nothing is started.`,
    { extra: { pid: pids[0] } },
  );
}

async function read(file: string): Promise<WorkerRecord[]> {
  try {
    return z.array(workerRecord).parse(JSON.parse(await readFile(file, 'utf8')));
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

/** Resolves when none is left, or after `within` ms; with whether none is. */
export async function allGone(left: () => readonly unknown[], within: number): Promise<boolean> {
  for (const deadline = performance.now() + within; left().length > 0; await delay(20))
    if (performance.now() > deadline) return false;
  return true;
}
