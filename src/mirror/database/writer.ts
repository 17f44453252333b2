/**
 * Carries out a plan, in one transaction or in batches of one each; every transaction touches the fence.
 *
 * In batches, a refusal of MongoDB in the middle leaves some of them written: `dirty` says so, and `undo` puts them back.
 */
import { setImmediate } from 'node:timers/promises';
import type { ClientSession, Document } from 'mongodb';
import { QuiesceError } from '../../errors.ts';
import type { Counts } from '../../protocol/runs.ts';
import type { Plan } from '../plan.ts';
import type { PreparedFeed } from '../prepared/prepared-feed.ts';
import { isUnauthorized, saysTooLarge } from './errors.ts';
import type { Fence } from './fence.ts';
import { documents } from './raw-command.ts';
import { RefusedWrites, type WriteError } from './refused-writes.ts';
import { batchesOf, nextMode, plainMode, stepsOf, undoSteps, type Mode, type Reach, type Step } from './steps.ts';
import { StalePlan } from './stale-plan.ts';
import { anyDocument, conditionOf, type Condition } from './statements.ts';
import { ensureExists, type Target } from './target.ts';
import { TransactionTooLarge } from './transaction-errors.ts';
import { fitsTransaction } from './transaction-size.ts';
import { transact, type Outcome, type Patience } from './transaction.ts';

/** Small, for the sake of the first: MongoDB waits for that one. */
const batchInTransaction = 500;

/**
 * How long a transaction may take, ms, before its writes are made in smaller ones. What is that slow waits for WiredTiger's
 * cache, and the longer it does the slower it gets. All at once needs no more than a few seconds, one batch less than one.
 */
const slow = { atOnce: 10_000, batch: 20_000 };

const fields = { delete: 'deletes', update: 'updates', insert: 'documents' } as const;

export interface WriterOptions {
  readonly target: Target;
  readonly fence: Fence;
  readonly feed: PreparedFeed;
  readonly session: ClientSession;
  readonly atomic: boolean | 'auto';
  /** How long other writes may be in the way of a transaction, and how long its commit may be unknown, ms. */
  readonly patience: Pick<Patience, 'conflicts' | 'commit'>;
  readonly signal: AbortSignal;
  readonly onWritten: (count: number) => void;
}

export class Writer {
  readonly #options: WriterOptions;
  readonly #condition: Condition;
  #written = 0;
  #mayBypass = true;
  /** Some writes of a plan that was not finished were made, or may have been. */
  dirty = false;
  /** Which of them. */
  readonly reach: Reach = { deletes: 0, updates: 0, inserts: 0 };

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#condition = options.target.filter ? conditionOf(options.target.filter) : anyDocument;
  }

  /**
   * @param counts what the run has done, for the fence
   * @throws QuiesceError `run-failed` with what MongoDB would not write, or `fenced`
   * @throws StalePlan where the plan is no longer exact
   * @throws WriteConflict where another transaction is in the way
   */
  async write(plan: Plan, counts: Counts): Promise<void> {
    const { target, session, atomic, feed } = this.#options;
    if (plan.inserts > 0) await ensureExists(target, session);
    const isAtomic = atomic === 'auto' ? await fitsTransaction(target.db, plan, feed.table) : atomic;
    if (target.transactions && isAtomic) {
      try {
        return await this.#inModes((mode) => this.#atOnce(plan, counts, mode));
      } catch (error) {
        if (!(error instanceof TransactionTooLarge)) throw error;
        if (atomic === true) {
          throw new QuiesceError(
            'run-failed',
            `The changes do not fit into one transaction, which sync.atomic asks for: ${error.message}. Nothing was changed.`,
            { cause: error },
          );
        }
      }
    }
    await this.#inModes((mode) => this.#inBatches(stepsOf(plan, feed, mode, this.#condition)), true);
    await this.#options.fence.touch(undefined, counts);
  }

  /**
   * Puts back what the plan may have changed, as far as a writer has reached.
   *
   * @throws where that is not possible; the collection stays dirty then
   */
  async undo(plan: Plan, reach: Reach): Promise<void> {
    await this.#options.fence.touch(undefined, 'no');
    const steps = undoSteps(plan, this.#options.feed, this.#condition, reach);
    try {
      await this.#inBatches(steps);
    } catch (error) {
      if (!isUnauthorized(error)) throw error;
      this.#mayBypass = false; // the role readWrite may not; most documents are valid all the same
      await this.#inBatches(steps);
    }
  }

  /** `keeps`: what was written before MongoDB refused something stays, so deletes, which come first, are done with. */
  async #inModes(write: (mode: Mode) => Promise<void>, keeps = false): Promise<void> {
    for (let mode = plainMode; ;) {
      this.#written = 0;
      try {
        return await write(mode);
      } catch (error) {
        const next = nextMode(error, mode, this.#condition);
        if (next === null) throw error;
        mode = keeps ? { ...next, skipDeletes: true } : next;
      }
    }
  }

  async #atOnce(plan: Plan, counts: Counts, mode: Mode): Promise<void> {
    const { session, fence, feed, atomic } = this.#options;
    const work = async (left: () => number): Promise<void> => {
      this.#written = 0;
      await fence.touch(session, counts);
      for (const step of stepsOf(plan, feed, mode, this.#condition)) await this.#sendAll(step, left);
    };
    const { deletes, updates, inserts } = plan;
    await this.#transact(work, atomic === true ? Infinity : slow.atOnce, { deletes, updates, inserts });
  }

  /** While MongoDB works on one batch, the next is put together. */
  async #sendAll(step: Step, left: () => number): Promise<void> {
    let sending = Promise.resolve();
    for (const batch of batchesOf(step, batchInTransaction)) {
      await sending;
      sending = this.#send(step, batch, this.#options.session, left());
      sending.catch(() => {}); // it is awaited, unless the next batch cannot be put together
      await setImmediate(); // by then it is on its way
    }
    await sending;
  }

  async #inBatches(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      let end = 0;
      for (const batch of batchesOf(step)) await this.#batch(step, batch, (end += batch.length));
    }
  }

  /** `end`: of the batch, in its list. */
  async #batch(step: Step, batch: readonly Uint8Array[], end: number): Promise<void> {
    const { target, session, fence } = this.#options;
    const reach = { [step.list]: end };
    try {
      if (target.transactions) {
        const work = async (left: () => number): Promise<void> => {
          await fence.touch(session);
          await this.#send(step, batch, session, left());
        };
        await this.#transact(work, slow.batch, reach);
      } else {
        await fence.touch(undefined);
        this.#reached(reach);
        await this.#send(step, batch, undefined);
      }
    } catch (error) {
      const isTaken = step.spares === true && error instanceof RefusedWrites && error.isKeyConflict;
      if (isTaken && (batch.length === 1 || !target.transactions)) return;
      if (!isTaken && (!(error instanceof TransactionTooLarge) || batch.length === 1)) throw error;
      const half = Math.ceil(batch.length / 2);
      await this.#batch(step, batch.slice(0, half), end - batch.length + half);
      await this.#batch(step, batch.slice(half), end);
    }
  }

  /** `slowest`: how long one attempt may take, ms; `reach`: what is written when it has been committed. */
  async #transact(work: (left: () => number) => Promise<void>, slowest: number, reach: Partial<Reach>): Promise<void> {
    const { session, patience, signal } = this.#options;
    const outcome: Outcome = { uncertain: false };
    const attempt = (left: () => number): Promise<void> => {
      signal.throwIfAborted(); // other writes may be in the way for long
      return work(left);
    };
    try {
      await transact(session, attempt, { ...patience, attempt: slowest }, outcome);
      this.#reached(reach);
    } catch (error) {
      if (outcome.uncertain) this.#reached(reach);
      throw error;
    }
  }

  #reached(reach: Partial<Reach>): void {
    this.dirty = true;
    for (const list of ['deletes', 'updates', 'inserts'] as const)
      this.reach[list] = Math.max(this.reach[list], reach[list] ?? 0);
  }

  async #send(
    step: Step,
    batch: readonly Uint8Array[],
    session: ClientSession | undefined,
    maxTimeMS = Infinity,
  ): Promise<void> {
    const { target, signal, onWritten } = this.#options;
    signal.throwIfAborted();
    const field = fields[step.kind];
    const command: Document = {
      [step.kind]: target.collection,
      ordered: false,
      ...(step.bypassValidation && this.#mayBypass && target.options['validator']
        ? { bypassDocumentValidation: true }
        : {}),
      ...(session ? {} : { writeConcern: { w: 'majority', j: true } }),
      ...(maxTimeMS === Infinity ? {} : { maxTimeMS }),
    };
    command[field] = documents(field, batch);
    const result = await target.db.command(command, session ? { session } : {});
    const errors = result['writeErrors'] as WriteError[] | undefined;
    const large = session && errors?.find(({ code, errmsg }) => saysTooLarge(code, errmsg));
    if (large) throw new TransactionTooLarge(new Error(large.errmsg));
    if (errors?.length) throw this.#refusal(step, new RefusedWrites(step.kind, batch, errors, this.#options.feed));
    const isScoped = this.#condition.length > 0;
    if (isScoped && step.kind === 'update' && result['n'] < batch.length) throw new StalePlan();
    if (step.counts) onWritten((this.#written += batch.length));
  }

  #refusal(step: Step, refused: RefusedWrites): Error {
    const isTaken = this.#condition.length > 0 && step.kind === 'insert' && refused.isKeyConflict;
    return isTaken && !step.spares ? new StalePlan(refused) : refused; // inside or outside the scope? A compare will tell
  }
}
