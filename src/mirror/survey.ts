/** Compares, checks and builds everything that is possible before the pause, while the app serves. */
import { QuiesceError } from '../errors.ts';
import { checkOutside, compareAll } from './database/compare.ts';
import { isUnauthorized } from './database/errors.ts';
import { RefusedWrites } from './database/write/refused-writes.ts';
import { checkValidator } from './database/validator.ts';
import { checkIndexes } from './indexes/check-indexes.ts';
import { lackOf, lacks, missingRights, rightsFor } from './database/rights.ts';
import { isWatched, Swap, swapFault } from './database/swap.ts';
import { openTarget, type Target } from './database/target.ts';
import type { Prepared } from './messages.ts';
import type { Counts } from '../protocol/api/runs.ts';
import { Plan } from './plan.ts';
import { scanProgress, type RunContext } from './run-context.ts';
import { TwoPhase } from './two-phase.ts';

export interface Survey {
  readonly prepared: Pick<Prepared, 'needsPause' | 'counts' | 'strategy' | 'note'>;
  readonly phase: TwoPhase | null;
  readonly swap: Swap | null;
}

/** The note of a run that a former primary had finished. */
export const finishedBefore = 'It had been finished before.';

/** A swap ends other cursors and change streams. It is worth that if most of a large collection changes. */
const swapShare = 0.5;
const swapWrites = 20_000;

/** @throws QuiesceError if the feed can be refused before the pause */
export async function survey(context: RunContext): Promise<Survey> {
  const { job, fence } = context;
  const finished = await fence.finished();
  if (finished)
    return nothingPrepared({
      needsPause: false,
      counts: finished,
      strategy: 'scan',
      note: finishedBefore,
    });
  const target = await openTarget(context.db, job.collection, job.scope);
  checkStrategy(context, target);
  const scan = { needsPause: true, strategy: 'scan' } as const;
  if (job.dryRun) return nothingPrepared(scan);
  const phase = job.strategy === 'scan' ? null : await TwoPhase.begin(context, target);
  if (phase === null || typeof phase === 'string') {
    const { note: unjudged } = await refuseEarly(context, target);
    return nothingPrepared({
      ...scan,
      ...noteOf(phase === null ? null : `The collection is compared in the pause: ${phase}.`, unjudged),
    });
  }
  try {
    if (await phase.isSettled()) {
      const { counts } = phase.plan;
      phase.dispose();
      return nothingPrepared({ needsPause: false, counts, strategy: 'two-phase' });
    }
    const unjudged = await checkPlan(context, target, phase.plan);
    const swap = (await isSwap(context, target, phase.plan)) ? await allowedSwap(context, target) : null;
    // To build the copy, MongoDB has judged every document.
    if (swap instanceof Swap) return { prepared: { needsPause: true, strategy: 'swap' }, phase, swap };
    await phase.warmUp();
    const note = noteOf(swap === null ? null : `The collection is not swapped: ${swap}.`, unjudged);
    return { prepared: { needsPause: true, strategy: 'two-phase', ...note }, phase, swap: null };
  } catch (error) {
    phase.dispose();
    throw error;
  }
}

export interface Foreseen {
  readonly counts: Counts;
  /** What the write may refuse all the same; null if nothing. */
  readonly note: string | null;
}

/** Refuses the feed now, for every reason known before the pause that would make a scan in the pause fail. */
export async function refuseEarly(context: RunContext, target: Target): Promise<Foreseen> {
  const plan = await scanned(context);
  try {
    return { counts: plan.counts, note: await checkPlan(context, target, plan) };
  } finally {
    plan.dispose();
  }
}

/** Returns a note of what only MongoDB can judge, or null. */
async function checkPlan(context: RunContext, target: Target, plan: Plan): Promise<string | null> {
  const { feed, session } = context;
  const unjudged = (await checkValidator(target, plan, feed, session)) ? [] : ['the validator of the collection'];
  unjudged.push(...(await checkIndexes(context, target, plan)));
  if (unjudged.length === 0) return null;
  return `Only MongoDB can tell whether it takes each item: ${unjudged.join(', ')}. The write finds an item that it refuses.`;
}

function noteOf(...sentences: readonly (string | null)[]): Pick<Prepared, 'note'> {
  const said = sentences.filter((sentence) => sentence !== null);
  return said.length === 0 ? {} : { note: said.join(' ') };
}

/** Compares the whole collection as it is now. The caller disposes of the plan. */
export async function scanned(context: RunContext): Promise<Plan> {
  const { job, db, feed, folder, session } = context;
  const target = await openTarget(db, job.collection, job.scope);
  const plan = new Plan(feed, folder, job.deletes);
  try {
    await compareAll(target, plan, session, scanProgress(context));
    plan.checkDeletes(job.maxDeletes);
    await checkOutside(target, plan.insertedKeys(), feed, session);
  } catch (error) {
    plan.dispose();
    throw error;
  }
  return plan;
}

function nothingPrepared(prepared: Survey['prepared']): Survey {
  return { prepared, phase: null, swap: null };
}

function checkStrategy({ job }: RunContext, target: Target): void {
  if (job.atomic === true && !target.transactions) {
    throw new QuiesceError(
      'bad-config',
      'sync.atomic asks for a transaction, which MongoDB has in a replica set only.',
    );
  }
  const fault = swapFault(target, job.deletes);
  if (job.strategy === 'swap' && fault !== null) {
    throw new QuiesceError('bad-config', `sync.strategy asks for a swap, which is not possible here: ${fault}.`);
  }
}

async function isSwap({ job, feed, session }: RunContext, target: Target, plan: Plan): Promise<boolean> {
  if (job.strategy !== 'auto') return job.strategy === 'swap';
  const most = Math.max(swapWrites, swapShare * Math.max(plan.stored, feed.table.count));
  if (plan.size < most || swapFault(target, job.deletes) !== null) return false;
  return !(await isWatched(target, session));
}

/** Returns the swap, or the reason why it is not allowed. */
async function allowedSwap(context: RunContext, target: Target): Promise<Swap | string> {
  const missing = await missingRights(context.db, rightsFor.swap(target.collection, context.feed.kept !== null));
  if (missing.length > 0) return lacks(missing);
  try {
    return await buildSwap(context, target);
  } catch (error) {
    if (isUnauthorized(error)) return lackOf(error);
    // The changed items were validated before, so the invalid document is a stored one that the feed does not change.
    if (error instanceof RefusedWrites && error.isInvalid) return 'the validator does not allow what is stored';
    throw error;
  }
}

async function buildSwap({ job, feed, fence, session, progress, signal }: RunContext, target: Target): Promise<Swap> {
  progress.start('prepare', feed.table.count);
  const onStaged = (done: number): void => progress.tick(done, feed.table.count);
  const swap = new Swap({ target, fence, feed, run: job.run, signal, onStaged });
  await swap.build(session);
  return swap;
}
