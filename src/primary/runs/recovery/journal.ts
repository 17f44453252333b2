/**
 * Stores the accepted feeds that are not finished, durably: the next primary finishes what a crash leaves.
 *
 * accepted   the primary has the feed; nothing is written to the database
 * writing    the database may hold a part of it, so no gate may open before the rest is written too
 *
 * A mirror is idempotent, so rolling forward means running the whole feed again from its spool. Operations take effect
 * in the order of the calls: the entry of a run is removed before that of a later run is written.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from '../../../vendor/zod.ts';
import { QuiesceError } from '../../../errors.ts';
import { acceptedSettings, mirrorOptions, spooledFeed } from '../../../protocol/workers/mirror-job.ts';
import { InTurn } from '../../in-turn.ts';
import { jsonFiles, makeJsonFolder, mustHold, removeDurably, writeDurably } from '../../data-dir/durable.ts';

export const journalEntry = z.object({
  run: z.string(),
  state: z.enum(['accepted', 'writing']),
  startedAt: z.string(),
  feed: spooledFeed,
  mirror: mirrorOptions,
  settings: acceptedSettings.optional(),
  /** The largest epoch that the run may have taken the fence with. */
  epoch: z.int().nonnegative().optional(),
  /** `before` of its mirror has not run yet, and nothing may be written before it has. */
  before: z.literal(true).optional(),
});
export type JournalEntry = z.output<typeof journalEntry>;

export class Journal {
  readonly #dir: string;
  readonly #entries = new Map<string, JournalEntry>();
  readonly #turns = new InTurn();

  private constructor(dir: string) {
    this.#dir = dir;
  }

  static async open(dir: string): Promise<Journal> {
    await makeJsonFolder(dir);
    return new Journal(dir);
  }

  /**
   * The entries that a former primary left, the oldest first.
   * @throws QuiesceError `data-dir-unusable`: an entry that cannot be read may stand for a half-mirrored collection
   */
  async unfinished(): Promise<JournalEntry[]> {
    const entries: JournalEntry[] = [];
    for (const name of await jsonFiles(this.#dir)) {
      const path = join(this.#dir, name);
      try {
        const entry = journalEntry.parse(JSON.parse(await readFile(path, 'utf8')));
        this.#entries.set(entry.run, entry);
        entries.push(entry);
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause);
        const what = `The journal ${path} cannot be read (${why}), so it is not known whether the collection is whole.`;
        throw new QuiesceError('data-dir-unusable', `${what} Repair or remove the file; then send the feed again.`, {
          cause,
        });
      }
    }
    return entries;
  }

  /** The largest epoch that a former primary may have used, known only from the journal; 0 if there is none. */
  async newestEpoch(): Promise<number> {
    return Math.max(0, ...(await this.unfinished()).map(({ epoch }) => epoch ?? 0));
  }

  /**
   * Resolves when the entry would survive a power cut.
   * @throws QuiesceError `insufficient-storage`
   */
  put(entry: JournalEntry): Promise<void> {
    return this.#turns.run(async () => {
      await this.#write(entry).catch(notDurable);
      this.#entries.set(entry.run, entry);
    });
  }

  /** @throws QuiesceError `lock-lost`: the entries belong to another primary, or soon will */
  mustHold(): void {
    mustHold(this.#dir);
  }

  remove(run: string): Promise<void> {
    this.#entries.delete(run);
    return this.#turns.run(() => removeDurably(this.#path(run)));
  }

  /** Writes all entries again after the files were removed. */
  restore(): Promise<void> {
    return this.#turns.run(async () => {
      for (const entry of this.#entries.values()) await this.#write(entry);
    });
  }

  #write(entry: JournalEntry): Promise<void> {
    return writeDurably(this.#path(entry.run), `${JSON.stringify(entry)}\n`);
  }

  #path(run: string): string {
    return join(this.#dir, `${run}.json`);
  }
}

function notDurable(cause: unknown): never {
  if (cause instanceof QuiesceError) throw cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  const detail = `The feed cannot be made durable: ${why}. Nothing was changed. Free some space and send it again.`;
  throw new QuiesceError('insufficient-storage', detail, { cause });
}
