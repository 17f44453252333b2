/** Writes the changes that the survey found, in the pause: all of them or none. */
import { QuiesceError } from '../errors.ts';
import { changedKeys } from './changed-keys.ts';
import { isGone, isUnauthorized, isUnavailable } from './database/errors.ts';
import { RefusedWrites } from './database/write/refused-writes.ts';
import { dropLeftovers, type Swap } from './database/swap.ts';
import { StalePlan } from './database/stale-plan.ts';
import { openTarget, type Target } from './database/target.ts';
import { WriteConflict } from './database/write/transaction-errors.ts';
import { Writer, type WriterOptions } from './database/write/writer.ts';
import type { Reach } from './database/steps.ts';
import type { Written } from './messages.ts';
import type { Plan } from './plan.ts';
import type { RunContext } from './run-context.ts';
import { finishedBefore, scanned, type Survey } from './survey.ts';

/** `comparedAt`: the time at which the plan was exact, from `performance.now()`. */
export type Outcome = Pick<Written, 'counts' | 'strategy' | 'note' | 'keys'> & { readonly comparedAt: number };

/** How many times a plan is made again because something else writes during the pause. */
const mostAgain = 2;

export class CarryOut {
  readonly #context: RunContext;
  readonly #survey: Survey;
  /** No attempt has used the survey yet, so it is still valid. */
  #isFresh = true;
  /** The mark of the moment at which the fence was taken. It completes the survey's plan, once. */
  #mark: string | null = null;
  /** A rename was announced and its result is unknown: it cannot be put back. */
  #isRenaming = false;
  /** The plans that may be partly written, the newest last. */
  readonly #begun: { readonly plan: Plan; readonly reach: Reach }[] = [];
  /** Some writes were made, or may have been made, and are not put back. */
  dirty = false;

  constructor(context: RunContext, survey: Survey) {
    this.#context = context;
    this.#survey = survey;
  }

  /** Starts with the fence, so that each attempt sees everything that the attempt before it did. */
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
        : { counts, strategy: prepared.strategy, note: finishedBefore, comparedAt: performance.now() };
    this.#isRenaming = false;
    this.dirty = false;
    return outcome;
  }

  /**
   * Undoes the writes of all attempts after the last one failed with `error`. Does nothing if the database is
   * unavailable, a newer primary has the fence, or a rename may have been made.
   */
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

  /** The copy is right even if the plan is not exact, but the run reports the plan and may be refused because of it. */
  async #bySwap(swap: Swap): Promise<Outcome | null> {
    const { phase } = this.#survey;
    const { fence, job, feed, session } = this.#context;
    if (!phase || !(await swap.isCurrent())) return null;
    const fault = await this.#complete();
    if (fault !== null && feed.kept !== null) return null; // nobody knows what the app has written to its members
    const plan = fault === null ? phase.plan : await scanned(this.#context);
    const { counts } = plan;
    const keys = changedKeys(plan);
    if (plan !== phase.plan) plan.dispose();
    await swap.refresh(session);
    const comparedAt = performance.now();
    await fence.announce({ copy: swap.id, counts });
    this.#isRenaming = this.dirty = true;
    try {
      await swap.rename(job.conflictTimeout);
    } catch (error) {
      await swap.drop();
      if ((await fence.renamed()) === null) {
        this.#isRenaming = this.dirty = false;
        // A right was revoked meanwhile, or the copy was dropped.
        if (isUnauthorized(error) || isGone(error)) return null;
        throw error;
      }
    }
    await fence.touch(undefined, counts);
    return { counts, keys, strategy: 'swap', comparedAt, ...noteOf(fault) };
  }

  /** Compares again if a writer that is not paused has made the plan wrong. */
  async #byPlans(): Promise<Outcome> {
    for (let again = 0; ; again++) {
      try {
        return await this.#byPlan();
      } catch (error) {
        if (!(error instanceof StalePlan) || again === mostAgain) throw error;
      }
    }
  }

  /** Makes the survey's plan exact. Returns null if it is exact, else the reason; '' if no plan is left to complete. */
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

/** `fault`: why the prepared plan could not be used; empty or null if there is no reason to report. */
function noteOf(fault: string | null): Pick<Outcome, 'note'> {
  return fault ? { note: `The collection was compared in the pause: ${fault}.` } : {};
}
