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
import { isUnauthorized } from './errors.ts';
import type { Fence } from './fence.ts';
import { documents } from './raw-command.ts';
import { RefusedWrites, type WriteError } from './refused-writes.ts';
import { batchesOf, nextMode, plainMode, stepsOf, undoSteps, type Mode, type Step } from './steps.ts';
import { StalePlan } from './stale-plan.ts';
import { anyDocument, conditionOf, type Condition } from './statements.ts';
import { ensureExists, type Target } from './target.ts';
import { transact, TransactionTooLarge, type Outcome } from './transaction.ts';

/** What one transaction is taken to hold where nobody has said `atomic: true`. */
const atomicStatements = 100_000;
const atomicBytes = 64 * 1024 * 1024;

/** Small, for the sake of the first: MongoDB waits for that one. */
const batchInTransaction = 500;

const fields = { delete: 'deletes', update: 'updates', insert: 'documents' } as const;

export interface WriterOptions {
  readonly target: Target;
  readonly fence: Fence;
  readonly feed: PreparedFeed;
  readonly session: ClientSession;
  readonly atomic: boolean | 'auto';
  /** How long other writes may be in the way of a transaction, ms. */
  readonly timeout: number;
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

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#condition = options.target.filter ? conditionOf(options.target.filter) : anyDocument;
  }

  /**
   * @param counts what the run has done, for the fence
   * @throws QuiesceError `run-failed` with what MongoDB would not write, or `fenced`
   * @throws StalePlan where the plan is no longer exact
   */
  async write(plan: Plan, counts: Counts): Promise<void> {
    const { target, session, atomic } = this.#options;
    if (plan.inserts > 0) await ensureExists(target, session);
    if (target.transactions && atomic !== false && (atomic === true || this.#fits(plan))) {
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
    await this.#inModes((mode) => this.#inBatches(stepsOf(plan, this.#options.feed, mode, this.#condition)), true);
    await this.#options.fence.touch(undefined, counts);
  }

  /**
   * Puts back what the plan may have changed.
   *
   * @throws where that is not possible; the collection stays dirty then
   */
  async undo(plan: Plan): Promise<void> {
    await this.#options.fence.touch(undefined, 'no');
    const steps = undoSteps(plan, this.#options.feed, this.#condition);
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
    const { session, fence, feed } = this.#options;
    await this.#transact(async () => {
      this.#written = 0;
      await fence.touch(session, counts);
      for (const step of stepsOf(plan, feed, mode, this.#condition)) await this.#sendAll(step);
    });
  }

  /** While MongoDB works on one batch, the next is put together. */
  async #sendAll(step: Step): Promise<void> {
    let sending = Promise.resolve();
    for (const batch of batchesOf(step, batchInTransaction)) {
      await sending;
      sending = this.#send(step, batch, this.#options.session);
      sending.catch(() => {}); // it is awaited, unless the next batch cannot be put together
      await setImmediate(); // by then it is on its way
    }
    await sending;
  }

  async #inBatches(steps: readonly Step[]): Promise<void> {
    for (const step of steps) for (const batch of batchesOf(step)) await this.#batch(step, batch);
  }

  async #batch(step: Step, batch: readonly Uint8Array[]): Promise<void> {
    const { target, session, fence } = this.#options;
    try {
      if (target.transactions) {
        await this.#transact(async () => {
          await fence.touch(session);
          await this.#send(step, batch, session);
        });
        this.dirty = true;
      } else {
        await fence.touch(undefined);
        this.dirty = true;
        await this.#send(step, batch, undefined);
      }
    } catch (error) {
      if (!(step.spares && error instanceof RefusedWrites && error.isKeyConflict)) throw error;
      if (!target.transactions || batch.length === 1) return;
      const half = batch.length / 2;
      await this.#batch(step, batch.slice(0, half));
      await this.#batch(step, batch.slice(half));
    }
  }

  async #transact(work: () => Promise<void>): Promise<void> {
    const { session, timeout, signal } = this.#options;
    const outcome: Outcome = { uncertain: false };
    const attempt = (): Promise<void> => {
      signal.throwIfAborted(); // other writes may be in the way for long
      return work();
    };
    try {
      await transact(session, attempt, timeout, outcome);
    } finally {
      if (outcome.uncertain) this.dirty = true;
    }
  }

  async #send(step: Step, batch: readonly Uint8Array[], session: ClientSession | undefined): Promise<void> {
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
    };
    command[field] = documents(field, batch);
    const result = await target.db.command(command, session ? { session } : {});
    const errors = result['writeErrors'] as WriteError[] | undefined;
    if (errors?.length) throw this.#refusal(step, new RefusedWrites(step.kind, batch, errors, this.#options.feed));
    const isScoped = this.#condition.length > 0;
    if (isScoped && step.kind === 'update' && result['n'] < batch.length) throw new StalePlan();
    if (step.counts) onWritten((this.#written += batch.length));
  }

  #refusal(step: Step, refused: RefusedWrites): Error {
    const isTaken = this.#condition.length > 0 && step.kind === 'insert' && refused.isKeyConflict;
    return isTaken && !step.spares ? new StalePlan(refused) : refused; // inside or outside the scope? A compare will tell
  }

  #fits(plan: Plan): boolean {
    if (plan.size > atomicStatements) return false;
    const { table } = this.#options.feed;
    let bytes = 0;
    for (let i = 0; i < plan.inserts; i++) bytes += table.length(plan.inserted(i));
    for (let i = 0; i < plan.updates; i++) bytes += table.length(plan.updated(i));
    return bytes <= atomicBytes;
  }
}
