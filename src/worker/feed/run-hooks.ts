/** Hands a feed over to the primary, and calls `before` and `after` of its mirror when the primary requests it. */
import { toQuiesceError, type Problem } from '../../errors.ts';
import { isEnded } from '../../protocol/api/is-ended.ts';
import type { CompleteMirrorOptions, SpooledFeed } from '../../protocol/workers/mirror-job.ts';
import type { RunHook } from '../../protocol/workers/messages.ts';
import type { Counts, RunRecord } from '../../protocol/api/runs.ts';
import type { Runtime } from '../process/runtime.ts';
import { handOver } from './hand-over.ts';
import type { Hooks } from './mirror-options.ts';

interface Submitted {
  readonly run: string;
  readonly feed: SpooledFeed;
  readonly mirror: CompleteMirrorOptions;
  readonly hooks: Hooks;
}

interface Waiting {
  readonly collection: string;
  readonly hooks: Hooks;
}

const waiting = new Map<string, Waiting>();
let listensTo: Runtime | null = null;

/**
 * Calls the hooks for this run from now on. Returns a function that stops this. Call it with the run's record, if there
 * is one: the `after` of a run that is rolled forward is still to come.
 */
export function serveHooks(
  runtime: Runtime,
  run: string,
  collection: string,
  hooks: Hooks,
): (record?: Pick<RunRecord, 'state'>) => void {
  if (listensTo !== runtime) {
    listensTo = runtime;
    runtime.link.onMessage((message) => {
      if (message.type !== 'run-hook') return;
      const { run: id, hook, counts, keys } = message;
      void call(runtime, id, hook, counts ?? null, keys ?? null).then((problem) =>
        runtime.link
          .request<'hook-ended'>({ op: 'hook-ended', run: id, hook, ...(problem === null ? {} : { problem }) })
          .catch(() => {}),
      );
    });
  }
  waiting.set(run, { collection, hooks });
  return (record) => {
    if (record === undefined || isEnded(record.state) || hooks.after === undefined) waiting.delete(run);
  };
}

/** Resolves with the problem; null if there is none. */
async function call(
  runtime: Runtime,
  run: string,
  hook: RunHook,
  counts: Counts | null,
  keys: readonly unknown[] | null,
): Promise<Problem | null> {
  try {
    const known = waiting.get(run);
    if (known === undefined) throw new Error(`this worker knows no run ${run}`);
    const { collection, hooks } = known;
    const done = runtime.gate.beginOfRun();
    if (done === null) throw new Error('this host has lost touch with the others of the site');
    if (hook === 'after') waiting.delete(run); // the last hook
    try {
      if (hook === 'before') await hooks.before?.({ run, collection });
      else if (counts !== null) await hooks.after?.({ run, collection, counts, keys });
    } finally {
      done();
    }
    return null;
  } catch (error) {
    console.error(`quiesce: ${hook} of mirror() failed in run ${run}:`, error);
    return toQuiesceError(error, 'run-failed').toProblem();
  }
}

/**
 * Hands the feed over and serves its hooks. Resolves when the run is the primary's; `ended` is its end.
 *
 * @param instance the `instance` of a problem document
 */
export async function submit(
  runtime: Runtime,
  { run, feed, mirror, hooks }: Submitted,
  instance: string,
): Promise<{ readonly ended: Promise<RunRecord> }> {
  const names = namesOf(hooks);
  const endHooks = names.length === 0 ? () => {} : serveHooks(runtime, run, mirror.collection, hooks);
  try {
    await handOver(runtime.link, { op: 'submit', run, feed, mirror, hooks: names }, instance);
  } catch (error) {
    endHooks();
    throw error;
  }
  const ended = runtime.link.request<'wait'>({ op: 'wait', run });
  ended.then(endHooks, () => endHooks());
  return { ended };
}

/** The names of the hooks that this mirror has. */
function namesOf({ before, after }: Hooks): RunHook[] {
  return [...(before === undefined ? [] : ['before' as const]), ...(after === undefined ? [] : ['after' as const])];
}
