/** Sends feeds through a mirror thread into a test's own database. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MirrorThread } from '#quiesce/mirror/handle.js';
import type { MirrorJob, Prepared, Written } from '#quiesce/mirror/messages.js';
import type { Progress } from '#quiesce/protocol/api/runs.js';
import { useDatabase, type TestDatabase } from '../harness/mongodb/mongo.ts';

export type Feed = string | Buffer | readonly unknown[];

export interface Mirrors extends TestDatabase {
  readonly thread: MirrorThread;
  readonly folder: string;
  readonly progress: readonly { readonly run: string; readonly progress: Progress }[];
  /** A job for this feed; its run has an id and an epoch that grow. */
  job(feed: Feed, more?: Partial<MirrorJob>): Promise<MirrorJob>;
  /** Prepares and writes. */
  mirror(feed: Feed, more?: Partial<MirrorJob>): Promise<Prepared & Written>;
  nextEpoch(): number;
  /** The collection's documents. */
  stored(collection?: string): Promise<Record<string, unknown>[]>;
}

/** A test may end it: the next test gets another one. */
class SharedThread extends MirrorThread {
  isClosed = false;

  override async close(grace?: number): Promise<void> {
    this.isClosed = true;
    await super.close(grace);
  }
}

/** In a `describe`: each test finds a thread without runs, a folder and an empty database. */
export function useMirror(): Mirrors {
  const database = useDatabase();
  // A thread that boots for each test takes longer than most of the tests do.
  let thread: SharedThread | null = null;
  let folder: string;
  let runs = 0;
  let epoch = 0;
  const begun: string[] = [];
  const progress: { run: string; progress: Progress }[] = [];

  beforeEach('a mirror thread', async () => {
    folder = await mkdtemp(join(tmpdir(), 'quiesce-mirror-'));
    progress.length = 0;
    thread ??= new SharedThread({
      onProgress: (run, step) => progress.push({ run, progress: step }),
      log: { warn: () => {} },
    });
  });
  afterEach('its runs ended', async function () {
    // After a failure nobody knows what it is at.
    if (thread?.isClosed || this.currentTest?.state === 'failed') {
      await thread?.close();
      thread = null;
    }
    for (const run of begun.splice(0)) await thread?.cancel(run);
    // What a run has kept is removed after its answer.
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  after('the thread closed', () => thread?.close());

  const mirrors: Mirrors = {
    get uri() {
      return database.uri;
    },
    get name() {
      return database.name;
    },
    get db() {
      return database.db;
    },
    get thread() {
      if (thread === null) throw new Error('there is a mirror thread during a test only');
      return thread;
    },
    get folder() {
      return folder;
    },
    progress,
    nextEpoch: () => ++epoch,
    async job(feed, more = {}) {
      const run = `run-${++runs}`;
      begun.push(run);
      const spool = join(folder, `${run}.feed`);
      await writeFile(spool, typeof feed === 'string' || Buffer.isBuffer(feed) ? feed : JSON.stringify(feed));
      return {
        run,
        owner: 'primary',
        spool,
        format: 'json',
        coding: 'identity',
        uri: database.uri,
        db: database.name,
        collection: 'resources',
        key: 'id',
        extendedJson: false,
        maxBytes: 2 ** 31,
        strategy: 'scan',
        atomic: 'auto',
        databaseTimeout: 10_000,
        conflictTimeout: 5000,
        workDir: join(folder, 'work'),
        ...more,
      };
    },
    async mirror(feed, more) {
      const job = await mirrors.job(feed, more);
      const prepared = await mirrors.thread.prepare(job);
      return { ...prepared, ...(await mirrors.thread.write(job.run, ++epoch)) };
    },
    async stored(collection = 'resources') {
      return database.db.collection(collection).find().sort({ _id: 1 }).toArray();
    },
  };
  return mirrors;
}

/** What is left in the folder of the runs' files. */
export async function leftovers(mirrors: Mirrors): Promise<string[]> {
  return readdir(join(mirrors.folder, 'work')).catch(() => []);
}

/** What a call is refused with. */
export async function refusal(
  call: Promise<unknown>,
): Promise<{ code: string; message: string; dirty: boolean; extra: Record<string, unknown> }> {
  try {
    await call;
  } catch (error) {
    return error as Awaited<ReturnType<typeof refusal>>;
  }
  throw new Error('it was not refused');
}
