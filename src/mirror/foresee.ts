/** Tells at start what the feeds to come will have to do without, so that nobody learns it from a long pause at night. */
import type { Db } from 'mongodb';
import { hasTransactions } from './database/check.ts';
import type { Clients } from './database/clients.ts';
import { missingRights, rightsFor, type Right } from './database/rights.ts';
import { unjudgeable } from './indexes/unjudgeable.ts';
import type { ForeseeRequest } from './messages.ts';

/** Returns a sentence for each thing that is missing; each says what it costs and what to do. */
export async function foresee(request: ForeseeRequest, clients: Clients): Promise<readonly string[]> {
  const client = clients.get(request.uri, request.databaseTimeout);
  await client.connect(); // a client whose first connection failed does not connect again by itself
  const db = client.db(request.db);
  return [...(await lackingRights(db, request)), ...(await lateRefusals(db, request))];
}

/** What an item can violate without being named before the pause. */
async function lateRefusals(db: Db, { collection }: ForeseeRequest): Promise<string[]> {
  const late = await unjudgeable(db, collection);
  if (late.length === 0) return [];
  const into = `${db.databaseName}.${collection}`;
  return [
    `Only MongoDB can tell whether ${into} takes an item: ${late.join(', ')}. An item that it refuses may be found only in the pause of a feed; the feed then changes nothing.`,
  ];
}

/** The rights that a feed will ask for, and what becomes of it without them. */
async function lackingRights(db: Db, request: ForeseeRequest): Promise<string[]> {
  const { collection } = request;
  const into = `into ${db.databaseName}.${collection}`;
  const needed = [...rightsFor.reading(collection), ...rightsFor.writing(collection)];
  const costs: [rights: readonly Right[], cost: string][] = [[needed, `Each feed ${into} will be refused`]];
  const strategies = hasTransactions(await db.command({ hello: 1 })) ? strategiesOf(request) : [];
  if (strategies.includes('two-phase'))
    costs.push([
      rightsFor['two-phase'](),
      `The strategies two-phase and swap cannot be used: each feed ${into} will be compared in its pause, which takes longer`,
    ]);
  if (strategies.includes('swap'))
    costs.push([
      rightsFor.swap(collection, (request.keep ?? []).length > 0),
      `The strategy swap cannot be used: a feed ${into} that changes most of it will be written in its pause, which takes longer`,
    ]);
  costs.push([
    rightsFor.unique(collection),
    `Two items with one value of a unique index will be found in the pause of a feed ${into}, not before it`,
  ]);
  const sentences: string[] = [];
  for (const [rights, cost] of costs) {
    const missing = await missingRights(db, rights);
    if (missing.length === 0) continue;
    sentences.push(
      `${cost}. The user of the connection string lacks rights in MongoDB: ${missing.join('; ')}. Grant them, or the role readWrite on ${db.databaseName}.`,
    );
  }
  return sentences;
}

/** Those that the configuration lets the mirror use, besides `scan`, where the server has change streams. */
function strategiesOf({ strategy, scope, deletes }: ForeseeRequest): string[] {
  if (strategy === 'scan') return [];
  return strategy === 'two-phase' || scope !== undefined || deletes === false ? ['two-phase'] : ['two-phase', 'swap'];
}
