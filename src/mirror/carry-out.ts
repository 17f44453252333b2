/** Writes, in the pause, what the survey has found; all of it or nothing. */
import { QuiesceError } from '../errors.ts';
import { changedKeys } from './changed-keys.ts';
import { isGone, isUnauthorized, isUnavailable } from './database/errors.ts';
import { RefusedWrites } from './database/refused-writes.ts';
import { dropLeftovers, type Swap } from './database/swap.ts';
import { StalePlan } from './database/stale-plan.ts';
import { openTarget, type Target } from './database/target.ts';
import { WriteConflict } from './database/transaction-errors.ts';
import { Writer, type WriterOptions } from './database/writer.ts';
import type { Reach } from './database/steps.ts';
import type { Written } from './messages.ts';
import type { Plan } from './plan.ts';
import type { RunContext } from './run-context.ts';
import { scanned, type Survey } from './survey.ts';

/** `comparedAt`: when the plan was exact, by `performance.now()`. */
export type Outcome = Pick<Written, 'counts' | 'strategy' | 'note' | 'keys'> & { readonly comparedAt: number };

/** So often a plan is made anew because of somebody who writes during the pause. */
const mostAgain = 2;

export class CarryOut {
  readonly #context: RunContext;
  readonly #survey: Survey;
  /** The survey can be relied on: no attempt has been made with it. */
  #isFresh = true;
  /** Where the fence was taken: by it a plan of the survey is completed, once. */
  #mark: string | null = null;
  /** A rename was announced, and it is not known whether it was made: it cannot be put back. */
  #isRenaming = false;
  /** The plans of which something may have been written, the newest last. */
  readonly #begun: { readonly plan: Plan; readonly reach: Reach }[] = [];
  /** Some writes were made and not put back, or may have been. */
  dirty = false;

  constructor(context: RunContext, survey: Survey) {
    this.#context = context;
    this.#survey = survey;
  }

  /** From the fence on, so that whatever a former attempt has done is seen by the next. */
  async attempt(epoch: number): Promise<Outcome> {
    const { fence, session, db, job } = this.#context;
    const { swap, prepared } = this.#survey;
    const { mark, finished } = await fence.take(epoch, session);
    this.#mark = this.#isFresh ? mark : null;
    const own = this.#isFresh ? swap : null;
    this.#isFresh = false;
    let counts = finished;
    if (counts === null) {
      await dropLeftovers(db, job.collection, own?.name);
      counts = await fence.renamed();
      if (counts !== null) await fence.touch(undefined, counts);
    }
    const outcome =
      counts === null
        ? ((own && (await this.#bySwap(own))) ?? (await this.#byPlans()))
        : { counts, strategy: prepared.strategy, note: 'It had been finished before.', comparedAt: performance.now() };
    this.#isRenaming = false;
    this.dirty = false;
    return outcome;
  }

  /** Undoes what the attempts have written, where they ended with this error and not even the next may succeed. */
  async putBack(error: unknown): Promise<void> {
    if (!this.dirty && isGivenUp(error)) error.message += ' Nothing was changed.';
    if (
      !this.dirty ||
      this.#isRenaming ||
      isUnavailable(error) ||
      (error instanceof QuiesceError && error.code === 'fenced')
    )
      return;
    const { db, job } = this.#context;
    try {
      const target = await openTarget(db, job.collection, job.scope);
      const { databaseTimeout, conflictTimeout } = job;
      const patience = { conflicts: Math.max(databaseTimeout, conflictTimeout), commit: databaseTimeout };
      const { signal } = new AbortController(); // cancelled runs too are put back
      const writer = this.#writer(target, { patience, signal, onWritten: () => {} });
      for (const { plan, reach } of this.#begun.toReversed()) await writer.undo(plan, reach);
      this.dirty = false;
      if (error instanceof Error) error.message += ' What had been written was put back.';
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      if (error instanceof Error) error.message += ` What had been written could not be put back: ${why}`;
    }
  }

  dispose(): void {
    this.#forgetPlans();
  }

  /** The plan need not be exact for the copy to be right, but it is what the run reports, and is refused for. */
  async #bySwap(swap: Swap): Promise<Outcome | null> {
    const { phase } = this.#survey;
    const { fence, job } = this.#context;
    if (!phase || !(await swap.isCurrent())) return null;
    const fault = await this.#complete();
    const plan = fault === null ? phase.plan : await scanned(this.#context);
    const { counts } = plan;
    const keys = changedKeys(plan);
    if (plan !== phase.plan) plan.dispose();
    const comparedAt = performance.now();
    await fence.announce({ copy: swap.id, counts });
    this.#isRenaming = this.dirty = true;
    try {
      await swap.rename(job.conflictTimeout);
    } catch (error) {
      await swap.drop();
      if ((await fence.renamed()) === null) {
        this.#isRenaming = this.dirty = false;
        // A right was taken away meanwhile, or the copy was.
        if (isUnauthorized(error) || isGone(error)) return null;
        throw error;
      }
    }
    await fence.touch(undefined, counts);
    return { counts, keys, strategy: 'swap', comparedAt, ...noteOf(fault) };
  }

  /** Compares again where somebody who heeds no pause has made the plan untrue. */
  async #byPlans(): Promise<Outcome> {
    for (let again = 0; ; again++) {
      try {
        return await this.#byPlan();
      } catch (error) {
        if (!(error instanceof StalePlan) || again === mostAgain) throw error;
      }
    }
  }

  /** Makes the survey's plan exact; null where it is, else why not. It is empty where there is none, or not any more. */
  async #complete(): Promise<string | null> {
    const mark = this.#mark;
    this.#mark = null;
    return this.#survey.phase && mark !== null ? this.#survey.phase.complete(mark) : '';
  }

  async #byPlan(): Promise<Outcome> {
    const { db, job, progress, signal } = this.#context;
    const { phase } = this.#survey;
    const fault = await this.#complete();
    const isExact = fault === null;
    const target = isExact ? phase!.target : await openTarget(db, job.collection, job.scope);
    const plan = isExact ? phase!.plan : await scanned(this.#context);
    if (!this.dirty) this.#forgetPlans();
    const counts = this.#begun[0]?.plan.counts ?? plan.counts;
    const comparedAt = performance.now();
    progress.start('write', plan.size);
    const patience = { conflicts: job.conflictTimeout, commit: job.databaseTimeout };
    const onWritten = (done: number): void => progress.tick(done, plan.size);
    const writer = this.#writer(target, { patience, signal, onWritten });
    this.#begun.push({ plan, reach: writer.reach });
    try {
      await writer.write(plan, counts);
    } finally {
      this.dirty ||= writer.dirty;
    }
    const keys = this.#begun.length === 1 ? changedKeys(plan) : null; // an earlier attempt may have written others
    return { counts, keys, strategy: isExact ? 'two-phase' : 'scan', comparedAt, ...noteOf(fault) };
  }

  #forgetPlans(): void {
    for (const { plan } of this.#begun) plan.dispose();
    this.#begun.length = 0;
  }

  #writer(target: Target, more: Pick<WriterOptions, 'patience' | 'signal' | 'onWritten'>): Writer {
    const { fence, feed, session, job } = this.#context;
    return new Writer({ target, fence, feed, session, atomic: job.atomic, ...more });
  }
}

function isGivenUp(error: unknown): error is Error {
  return error instanceof RefusedWrites || error instanceof WriteConflict || error instanceof StalePlan;
}

/** `fault`: why the prepared plan could not be used; empty or null where there is nothing to say. */
function noteOf(fault: string | null): Pick<Outcome, 'note'> {
  return fault ? { note: `The collection was compared in the pause: ${fault}.` } : {};
}
