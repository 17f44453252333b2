/** The options of `mirror()`: their types, the checks when the app is loaded, and which of them go to the primary. */
import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { faultsOf } from '../../protocol/check.ts';
import { isMirrorOptions } from '../../protocol/workers/checks.ts';
import { isPointer, itemsWords } from '../../protocol/feed/json-pointer.ts';
import { keyFault } from '../../protocol/feed/mirror-key.ts';
import type { CompleteMirrorOptions } from '../../protocol/workers/mirror-job.ts';
import type { Counts } from '../../protocol/api/runs.ts';
import type { BroughtSource } from '../../protocol/workers/brought-source.ts';
import type { ItemSteps } from './items/messages.ts';
import { sourcesOf, type MirrorSource } from './source-option.ts';

/** The options of {@link mirror}. */
export interface MirrorOptions {
  /** The collection that becomes equal to the feed. */
  collection: string;
  /**
   * The member of each item that identifies it. It is stored as `_id`, and `GET /api/resources` of the built-in app
   * returns it under its own name. With a path such as `'sku.id'`, or several members or paths, `['shop', 'sku']`, the
   * members stay where they are, and `_id` is added: for several, an object of them in this order. Default `'id'`.
   */
  key?: string | readonly string[] | undefined;
  /** The database. Default: `mongodb.db` of the configuration, then the one in the connection string. */
  db?: string | undefined;
  /**
   * Limits the mirror to the documents that have these members with these values, which are also written into each item:
   * several mirrors can share a collection. A string, a number or a boolean for each name. Default: the whole collection.
   */
  scope?: Record<string, unknown> | undefined;
  /**
   * Reads MongoDB Extended JSON v2 (`{"$date": …}`, `{"$oid": …}`) as typed values, and refuses one that has no exact
   * value. Default false.
   */
  extendedJson?: boolean | undefined;
  /**
   * The top-level members that the app owns, such as `['createdAt', '__v']`. A run neither compares nor changes them, and
   * ignores them in a feed. Default: none.
   */
  keep?: readonly string[] | undefined;
  /** False: documents that the feed does not have stay, so that the feed is merged into the collection. Default true. */
  deletes?: boolean | undefined;
  /**
   * Refuses a feed that would delete more documents, with 409 `too-many-deletes`, unless the request gives another
   * limit (`?maxDeletes=`): a number, or a share of the collection such as `'50%'`. Default `sync.max_deletes` of the
   * configuration; without that, half of the documents, but at least 100.
   */
  maxDeletes?: number | string | undefined;
  /**
   * The place of the array in a JSON feed that is an object: a JSON Pointer (RFC 6901) such as `'/data/products'`. The
   * rest of the object must be JSON, and is not stored. `?items=` of a request replaces this option. NDJSON needs none.
   * Default `''`: the feed is the array.
   */
  items?: string | undefined;
  /**
   * Feeds that the primary fetches on a schedule for this mirror, one or a list. Checked as `sync.source` of the
   * configuration is, which is an alternative. Without a primary nothing is fetched. Default: none.
   */
  source?: MirrorSource | readonly MirrorSource[] | undefined;
  /**
   * A module whose export `transform`, or default export, makes the stored item from each item of the feed:
   * `(item, index) => item`, or a promise of one. Give `new URL('./transform.js', import.meta.url)`, or an absolute path.
   *
   * It runs before the pause, in a thread of the worker that got the feed. If it throws, the feed is refused with 422
   * `invalid-feed` and a pointer to the item. If it has not ended after `sync.run_timeout`, the thread is ended and the
   * run fails. It gets and returns JSON values: an object for each item.
   */
  transform?: URL | string | undefined;
  /**
   * A JSON Schema (draft 2020-12 unless its `$schema` says 2019-09, draft-07 or draft-06), or a module as for
   * `transform` whose export `validate`, or default export, is a function, a JSON Schema or a Standard Schema such as
   * zod's. It checks each item, after `transform`, in the same thread. A function returns nothing or true if the item
   * is valid, otherwise false, a text or a list of `{ pointer, detail }`; it may return a promise. Any fault refuses
   * the feed with 422 `invalid-feed`. A schema only checks: what it would change or add is not stored.
   */
  validate?: URL | string | Record<string, unknown> | undefined;
  /**
   * Called in the pause, before anything is written, in the worker that got the feed. The run waits for its promise. If
   * it throws, or that worker is gone, the run fails and nothing is written. `sync.run_timeout` limits it. Not called
   * if nothing has to be written, for a dry run, or for a run that is rolled forward after a crash.
   */
  before?: ((event: BeforeMirror) => unknown) | undefined;
  /**
   * Called in the pause, when everything is written, in the worker that got the feed. The run waits for its promise. If
   * it throws, or that worker is gone, the mirror stays and the run succeeds: `afterError` of its report has the error.
   * Not called if {@link MirrorOptions.before} would not be.
   */
  after?: ((event: AfterMirror) => unknown) | undefined;
}

/** The argument of `before` in {@link MirrorOptions}. */
export interface BeforeMirror {
  /** The id of the run. */
  readonly run: string;
  /** The collection that is made equal to the feed. */
  readonly collection: string;
}

/** The argument of `after` in {@link MirrorOptions}. */
export interface AfterMirror extends BeforeMirror {
  /** How many documents were inserted, updated, deleted and left. */
  readonly counts: Counts;
  /** The keys of the changed documents; null if there are more than 1,000, or if not all are known. */
  readonly keys: readonly unknown[] | null;
}

export type Hooks = Pick<MirrorOptions, 'before' | 'after'>;

/** The options by their reader: the primary, the thread of the items, this worker. */
export interface CheckedOptions {
  readonly mirror: CompleteMirrorOptions;
  /** Null if the items need neither step. */
  readonly steps: ItemSteps | null;
  readonly hooks: Hooks;
  /** Where the array is in a JSON feed. */
  readonly items: string;
  readonly sources: readonly BroughtSource[];
}

/**
 * Checks the options, adds the defaults and copies them: later changes of the caller's object do not affect runs.
 * @throws TypeError if an option has the wrong type
 */
export function checkOptions(options: MirrorOptions): CheckedOptions {
  const { transform, validate, before, after, items = '', source, ...rest } = options;
  const wire: unknown = rest;
  if (!isMirrorOptions(wire)) throw new TypeError(`mirror(): ${faultsOf(isMirrorOptions)}`);
  if (typeof items !== 'string' || !isPointer(items)) throw new TypeError(`mirror(): items takes ${itemsWords}.`);
  const fault = keyFault(wire.key, wire.keep ?? [], Object.keys(wire.scope ?? {}));
  if (fault !== null) throw new TypeError(`mirror(): ${fault}.`);
  for (const [name, hook] of Object.entries({ before, after })) {
    if (hook !== undefined && typeof hook !== 'function') throw new TypeError(`mirror(): ${name} takes a function.`);
  }
  const steps: ItemSteps = {
    ...(transform === undefined ? {} : { transform: moduleOf('transform', transform) }),
    ...(validate === undefined ? {} : { validate: validatorOf(validate) }),
  };
  const mirror = wire.scope === undefined ? wire : { ...wire, scope: { ...wire.scope } };
  return {
    mirror,
    steps: Object.keys(steps).length === 0 ? null : steps,
    hooks: { before, after },
    items,
    sources: sourcesOf(source, mirror),
  };
}

function validatorOf(given: NonNullable<MirrorOptions['validate']>): string | object {
  if (typeof given === 'string' || given instanceof URL || isCode(given)) return moduleOf('validate', given);
  if (given === null || typeof given !== 'object' || Array.isArray(given))
    throw new TypeError(`mirror(): validate takes a module or a JSON Schema, not ${JSON.stringify(given)}.`);
  try {
    return JSON.parse(JSON.stringify(given)) as object;
  } catch (cause) {
    throw new TypeError(`mirror(): validate is no JSON Schema: ${(cause as Error).message}`, { cause });
  }
}

/** Whether it is a function, or a schema made of functions (a Standard Schema): these cannot be sent to a thread. */
function isCode(given: unknown): boolean {
  return typeof given === 'function' || (typeof given === 'object' && given !== null && '~standard' in given);
}

function moduleOf(option: 'transform' | 'validate', given: unknown): string {
  const example = `new URL('./${option}.js', import.meta.url)`;
  if (isCode(given))
    throw new TypeError(
      `mirror(): ${option} runs in a thread, to which neither a function nor a schema made of code can be sent. ` +
        `Put it into a module, \`export const ${option} = …\`, and give the module: ${option}: ${example}.`,
    );
  if (given instanceof URL || (typeof given === 'string' && given.startsWith('file:'))) {
    const url = new URL(given);
    if (url.protocol !== 'file:') throw new TypeError(`mirror(): ${option} takes a file, not ${url.href}.`);
    return existing(option, url);
  }
  if (typeof given === 'string' && isAbsolute(given)) return existing(option, pathToFileURL(given));
  throw new TypeError(
    `mirror(): ${option} takes a module by its address, ${example}, or by an absolute path, not ${JSON.stringify(given)}.`,
  );
}

function existing(option: string, url: URL): string {
  if (!existsSync(url))
    throw new TypeError(`mirror(): ${option} names ${fileURLToPath(url)}, and there is no such file.`);
  return url.href;
}
