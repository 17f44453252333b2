/**
 * Writes a plan to MongoDB, in one transaction or in one transaction per batch; every transaction updates the fence.
 *
 * If MongoDB refuses a batch, earlier batches stay written: `dirty` is then true, and `undo` puts them back.
 */
import { setImmediate } from 'node:timers/promises';
import type { ClientSession, Document } from 'mongodb';
import { QuiesceError } from '../../../errors.ts';
import type { Counts } from '../../../protocol/api/runs.ts';
import type { Plan } from '../../plan.ts';
import type { PreparedFeed } from '../../prepared/prepared-feed.ts';
import { isUnauthorized, saysTooLarge } from '../errors.ts';
import type { Fence } from '../fence.ts';
import { documents } from '../raw-command.ts';
import { RefusedWrites, type WriteError } from './refused-writes.ts';
import { batchesOf, nextMode, plainMode, stepsOf, undoSteps, type Mode, type Reach, type Step } from '../steps.ts';
import { StalePlan } from '../stale-plan.ts';
import { anyDocument, conditionOf, type Condition } from './statements.ts';
import { ensureExists, type Target } from '../target.ts';
import { TransactionTooLarge } from './transaction-errors.ts';
import { fitsTransaction } from './transaction-size.ts';
import { transact, type Outcome, type Patience } from './transaction.ts';

/** Small, since MongoDB has nothing to do until the first batch arrives. */
const batchInTransaction = 500;

/**
 * How long a transaction may take, ms, before its writes are split into smaller transactions. A slower transaction
 * waits for WiredTiger's cache, and becomes slower the longer it waits. Normally, a transaction of all writes needs a
 * few seconds at most, and a single batch less than one second.
 */
const slow = { atOnce: 10_000, batch: 20_000 };

const fields = { delete: 'deletes', update: 'updates', insert: 'documents' } as const;

export interface WriterOptions {
  readonly target: Target;
  readonly fence: Fence;
  readonly feed: PreparedFeed;
  readonly session: ClientSession;
  readonly atomic: boolean | 'auto';
  /**
   * How long a transaction may conflict with other writes, and how long the result of its commit may be unknown, ms.
   */
  readonly patience: Pick<Patience, 'conflicts' | 'commit'>;
  readonly signal: AbortSignal;
  readonly onWritten: (count: number) => void;
}

export class Writer {
  readonly #options: WriterOptions;
  readonly #condition: Condition;
  #written = 0;
  #mayBypass = true;
  /** Some writes of the plan were made, or may have been made. */
  dirty = false;
  /** Which writes were made, or may have been made. */
  readonly reach: Reach = { deletes: 0, updates: 0, inserts: 0 };

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#condition = options.target.filter ? conditionOf(options.target.filter) : anyDocument;
  }

  /**
   * Writes the plan.
   *
   * @param counts the counts of the run, for the fence
   * @throws RefusedWrites with the documents that MongoDB refused
   * @throws QuiesceError `fenced`, or `run-failed` if the plan does not fit into one transaction that `atomic` requires
   * @throws StalePlan if the plan is no longer exact
   * @throws WriteConflict if another transaction conflicts for too long
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
   * Puts back all documents that a writer may have changed, up to its `reach`.
   *
   * @throws if that is not possible; the collection stays dirty then
   */
  async undo(plan: Plan, reach: Reach): Promise<void> {
    await this.#options.fence.touch(undefined, 'no');
    const steps = undoSteps(plan, this.#options.feed, this.#condition, reach);
    try {
      await this.#inBatches(steps);
    } catch (error) {
      if (!isUnauthorized(error)) throw error;
      this.#mayBypass = false; // the role readWrite may not bypass validation; most documents are valid anyway
      await this.#inBatches(steps);
    }
  }

  /** `keeps`: writes before a refusal stay, so the deletes, which come first, are done. */
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

  /** Builds the next batch while MongoDB works on the current one. */
  async #sendAll(step: Step, left: () => number): Promise<void> {
    let sending = Promise.resolve();
    for (const batch of batchesOf(step, batchInTransaction)) {
      await sending;
      sending = this.#send(step, batch, this.#options.session, left());
      sending.catch(() => {}); // it is awaited, unless building the next batch throws
      await setImmediate(); // lets the batch be sent before the next is built
    }
    await sending;
  }

  async #inBatches(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      let end = 0;
      for (const batch of batchesOf(step)) await this.#batch(step, batch, (end += batch.length));
    }
  }

  /** `end`: the end of the batch in its list. */
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

  /** `slowest`: how long one attempt may take, ms; `reach`: the writes that are made once it is committed. */
  async #transact(work: (left: () => number) => Promise<void>, slowest: number, reach: Partial<Reach>): Promise<void> {
    const { session, patience, signal } = this.#options;
    const outcome: Outcome = { uncertain: false };
    const attempt = (left: () => number): Promise<void> => {
      signal.throwIfAborted(); // conflicts with other writes may last long
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
    return isTaken && !step.spares ? new StalePlan(refused) : refused; // inside the scope? A new compare shows it
  }
}
