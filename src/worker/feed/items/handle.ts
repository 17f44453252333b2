/**
 * Runs `transform` and `validate` for a feed: in one thread per feed, in the worker that got the feed, so with the
 * environment, the working directory and the loaders of the app. The mirror reads the result as it would read the feed.
 */
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { QuiesceError } from '../../../errors.ts';
import type { SpooledFeed } from '../../../protocol/workers/mirror-job.ts';
import { syncDirectory } from '../../../sync-directory.ts';
import { isOutOfMemory, resultOf } from '../../../thread-job.ts';
import type { FromItemThread, ItemJob, ItemSteps } from './messages.ts';

export interface ItemLimits {
  readonly maxBytes: number;
  /** ms */
  readonly timeout: number;
  /** Aborted if the run has ended; its reason is the error for the caller. */
  readonly signal?: AbortSignal;
}

/** The limit of the thread's heap. */
const memoryMb = 512;

/**
 * Resolves with the feed for the mirror: the same one if the items are only validated, otherwise another file. If it
 * rejects, it leaves no file of its own behind, and removes the feed as well.
 *
 * @throws QuiesceError `invalid-feed` with the faults of the items; `run-timeout`; `run-failed`
 */
export async function workOnFeed(feed: SpooledFeed, steps: ItemSteps, limits: ItemLimits): Promise<SpooledFeed> {
  const started = performance.now();
  const { path, format, coding, items } = feed;
  const target = `${path.replace(/\.feed$/, '')}.items.feed`;
  try {
    const where = items === undefined ? {} : { items };
    await inThread({ steps, feed: { path, format, coding, ...where, maxBytes: limits.maxBytes, target } }, limits);
    const itemsMs = performance.now() - started;
    if (steps.transform === undefined) return { ...feed, itemsMs };
    await syncDirectory(dirname(target));
    // Both files belong to one run or dry run and are not handed over yet: no primary or successor knows them.
    await rm(path, { force: true });
    const { items: _, ...rest } = feed; // the transformed items are an array
    return { ...rest, path: target, format: 'json', coding: 'identity', itemsMs };
  } catch (error) {
    for (const file of [path, target]) await rm(file, { force: true });
    throw error;
  }
}

/** Loads only the modules. Rejects with the error that each feed would be refused with because of them. */
export function checkSteps(steps: ItemSteps, timeout: number): Promise<void> {
  return inThread({ steps, feed: null }, { timeout });
}

async function inThread(
  job: Omit<ItemJob, 'at'>,
  { timeout, signal }: Pick<ItemLimits, 'timeout' | 'signal'>,
): Promise<void> {
  const at = new SharedArrayBuffer(4);
  const worker = new Worker(new URL('./thread.js', import.meta.url), {
    name: 'quiesce-items',
    workerData: { ...job, at } satisfies ItemJob,
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
  });
  const error = (): Error => tooLong(job, timeout, new Int32Array(at)[0]!);
  await resultOf<FromItemThread>(worker, { signal, timeout: { ms: timeout, error }, died });
}

function tooLong({ steps, feed }: Omit<ItemJob, 'at'>, timeout: number, item: number): QuiesceError {
  const who =
    steps.transform === undefined ? 'validate' : steps.validate === undefined ? 'transform' : 'transform and validate';
  const where = feed === null ? '' : ` It was at item ${item}.`;
  const what = `${who} of mirror() had not come to an end after ${timeout} ms (sync.run_timeout) and was ended.`;
  return new QuiesceError('run-timeout', `${what}${where} Nothing was changed.`);
}

function died(cause: Error): QuiesceError {
  const why = isOutOfMemory(cause) ? `it ran out of its ${memoryMb} MB of memory` : cause.message;
  return new QuiesceError('run-failed', `The thread of transform and validate failed: ${why}. Nothing was changed.`, {
    cause,
  });
}
