/**
 * The built-in app: the mirror of one collection, and its documents. It uses only what your own app could use.
 */
import express, { type ErrorRequestHandler, type Express } from 'express';
import { MongoClient, MongoError } from 'mongodb';
import { primaryUri } from '../../config/values/mongodb-uri.ts';
import { QuiesceError, toQuiesceError } from '../../errors.ts';
import type { WorkerSettings } from '../../config.ts';
import { gate } from '../gate/admission.ts';
import { mirror } from '../feed/mirror-route.ts';
import { refuse } from '../gate/shut/refusal.ts';
import { health } from './health.ts';
import { resources } from './resources.ts';

/**
 * How long a page of documents waits for the database, ms. The driver has no limit of its own, and a connection can die
 * silently: such a request would block every drain.
 */
const databaseWait = 5_000;

export function builtInApp({ mongodb, sync }: WorkerSettings): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.use(health());
  app.use(gate());
  app.use(
    '/api/sync',
    mirror({
      collection: sync.collection,
      key: sync.key,
      items: sync.items,
      keep: sync.keep,
      deletes: sync.deletes,
      ...(mongodb.db === null ? {} : { db: mongodb.db }),
    }),
  );
  if (mongodb.uri !== null) {
    const client = new MongoClient(primaryUri(mongodb.uri), {
      readPreference: 'primary', // a secondary may still show a part of the last feed
      appName: 'quiesce',
      connectTimeoutMS: databaseWait,
      serverSelectionTimeoutMS: databaseWait,
      socketTimeoutMS: databaseWait,
    });
    app.use('/api/resources', resources({ client, db: mongodb.db, collection: sync.collection, key: sync.key }));
  }
  app.use((req) => {
    throw new QuiesceError('not-found', `There is nothing at ${req.method} ${req.path}.`);
  });
  app.use(answerError);
  return app;
}

const answerError: ErrorRequestHandler = (error: unknown, req, res, _next) => {
  if (error instanceof MongoError) {
    console.error(error);
    const known = new QuiesceError('database-unavailable', 'The database does not answer. Try again in a moment.', {
      cause: error,
    });
    return refuse(req, res, known, { headers: { 'Retry-After': '5' } });
  }
  if (isBadPath(error)) return refuse(req, res, new QuiesceError('bad-request', 'The path is not well-formed.'));
  const known = toQuiesceError(error);
  if (known !== error) console.error(error);
  // What went wrong inside is for the log, not for the client.
  refuse(
    req,
    res,
    known === error ? known : new QuiesceError('internal', 'Something went wrong here. The log says what.'),
  );
};

/** Express throws this for a `%` that escapes nothing. */
function isBadPath(error: unknown): boolean {
  return error instanceof URIError;
}
