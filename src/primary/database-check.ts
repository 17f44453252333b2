/** A primary that cannot reach its database reports that at the start, not at night when the feed arrives. */
import { fileURLToPath } from 'node:url';
import type { AppConfig } from '../config.ts';
import { QuiesceError } from '../errors.ts';
import type { MirrorThread } from '../mirror/handle.ts';

/** How long to wait for the database at the start, ms. */
const startTimeout = 7_000;

/** The built-in app, which needs a database. */
const builtInApp = fileURLToPath(new URL('../worker/main.js', import.meta.url));

/**
 * Returns the largest epoch that was ever used for a write; 0 if there is no database.
 *
 * @throws QuiesceError `database-unreachable`, or `bad-config` if the connection string is wrong
 */
export async function requireDatabase(config: AppConfig, thread: MirrorThread): Promise<number> {
  const { uri, db } = config.mongodb;
  if (uri === null) {
    if (config.script !== builtInApp) return 0;
    throw new QuiesceError(
      'database-unreachable',
      'The built-in app mirrors into MongoDB, and no server is configured. Set MONGODB_URI=mongodb://… or quiesce.mongodb.uri in the configuration.',
    );
  }
  try {
    return (await thread.check({ uri, ...(db === null ? {} : { db }), timeout: startTimeout })).fenceEpoch;
  } catch (cause) {
    if (cause instanceof QuiesceError && cause.code === 'bad-config') throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new QuiesceError(
      'database-unreachable',
      `${why} Start MongoDB, or set MONGODB_URI (or quiesce.mongodb.uri) to one that runs.`,
      { cause },
    );
  }
}
