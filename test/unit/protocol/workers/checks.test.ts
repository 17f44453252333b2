import { expect } from 'chai';
import fc from 'fast-check';
import { faultsOf } from '#quiesce/protocol/check.js';
import { isMirrorOptions, isToWorker } from '#quiesce/protocol/workers/checks.js';
import { toWorker } from '#quiesce/protocol/workers/messages.js';
import { mirrorOptions } from '#quiesce/protocol/workers/mirror-job.js';

const hold = { kind: 'sync', reason: 'PUT /api/sync', since: '2026-01-02T03:04:05.006Z' };
const info = { holds: [hold], run: 'r-1', retryAfter: 1500 };
const problem = { type: 't', title: 't', status: 409, detail: 'd', code: 'run-in-progress', run: 'b' };
const run = {
  id: 'r-1',
  kind: 'sync',
  state: 'running',
  epoch: 3,
  owner: { slot: 0, incarnation: 1, method: 'PUT', path: '/api/sync' },
  startedAt: hold.since,
  progress: { step: 'write', done: 1, total: 2 },
  error: problem,
  notes: ['a note'],
};
const feed = { path: '/a', bytes: 1, digest: '', format: 'json', coding: 'gzip', uploadMs: 1 };
const settings = {
  name: 'app',
  mongodb: { uri: null, db: 'db' },
  sync: { collection: 'resources', key: 'id', token: null, maxBytes: 1, uploadTimeout: 1, runTimeout: 1 },
  maintenance: { onPause: 'hold', readyGrace: 0, drainTimeout: 0, page: null, except: ['/healthz'] },
  heartbeat: { interval: 1000 },
  spoolDir: '',
};
const envelope = { quiesce: 1, slot: 0, incarnation: 1, epoch: 2 };
const messages: object[] = [
  { type: 'welcome', settings },
  { type: 'pause', info },
  { type: 'resume' },
  { type: 'run-hook', run: 'r', hook: 'before' },
  { type: 'pause-info', info },
  { type: 'cut' },
  { type: 'lease', deadline: 1, sleepOffset: 1, grace: 1 },
  { type: 'run-ended', run: 'r', problem },
  { type: 'stop', timeout: 1600, answerTimeout: 1600, webSocketTimeout: 1000 },
  { type: 'reply', id: 1, value: { any: 'thing' } },
  { type: 'reply', id: 1, problem },
  { type: 'run-changed', run },
  { type: 'take-feed', delivery: 'd', feed, source: 'https://a.example/', collection: null },
].map((message) => ({ ...envelope, ...message }));
const options: object[] = [
  { collection: 'resources' },
  { collection: 'a', key: 'k', db: 'd', scope: { tenant: 1 }, extendedJson: true, maxDeletes: '50%' },
  { collection: 'a', maxDeletes: 0 },
  { collection: 'a', key: ['a', 'b.c'], keep: ['d'], deletes: false },
];

/** Every place in a value where something else could stand. */
function pathsOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, key]))];
}

const absent = Symbol('absent');

function replaced(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by === absent ? undefined : by;
  // A copy of one of these would lose the member, and so would the one that is checked.
  if (value instanceof Map || value instanceof Date) return value;
  const copy = structuredClone(value) as Record<string, unknown>;
  if (rest.length === 0 && by === absent) delete copy[key];
  else copy[key] = replaced(copy[key], rest, by);
  return copy;
}

const odd = fc.oneof(
  fc.constantFrom<unknown>(
    absent,
    null,
    '',
    'x',
    '100%',
    '101%',
    '1.5%',
    0,
    -1,
    1,
    1.5,
    2 ** 53,
    NaN,
    Infinity,
    true,
    [],
    {},
    new Map([['tenant', 1]]),
    new Date(0),
  ),
  fc.constantFrom<unknown>('resume', 'reply', 'stop', 'sync', 'refuse', 'failed', [null], [hold], { a: 1 }),
  fc.jsonValue(),
);

/** Valid ones with something else in one place or two. */
function nearly(valid: readonly object[]): fc.Arbitrary<unknown> {
  return fc
    .constantFrom(...valid)
    .chain((one) =>
      fc
        .array(fc.tuple(fc.constantFrom(...pathsOf(one), ['more']), odd), { maxLength: 2 })
        .map((changes) => changes.reduce<unknown>((value, [path, by]) => attempt(value, path, by), one)),
    );
}

/** The first change may have taken away where the second would be made. */
function attempt(value: unknown, path: readonly string[], by: unknown): unknown {
  try {
    return replaced(value, path, by);
  } catch {
    return value;
  }
}

describe('the checks that workers carry', () => {
  for (const [name, check, schema, valid] of [
    ['a message to a worker', isToWorker, toWorker, messages],
    ['options of mirror()', isMirrorOptions, mirrorOptions, options],
  ] as const) {
    it(`take each kind of ${name}`, () => {
      const kinds = schema === toWorker ? schema.options.map(({ shape }) => shape.type.value) : [];
      expect(valid.map((one) => (one as { type?: string }).type)).to.include.members(kinds);
      for (const one of valid) expect(check(structuredClone(one)), JSON.stringify(one)).to.equal(true);
    });

    it(`take and refuse as ${name} what the schema does, with its defaults`, () => {
      let taken = 0;
      let refused = 0;
      fc.assert(
        fc.property(nearly(valid), (value) => {
          const judged = schema.safeParse(value);
          const copy: unknown = structuredClone(value);
          expect(check(copy), judged.error?.message).to.equal(judged.success);
          if (!judged.success) return void refused++;
          taken++;
          if (schema === mirrorOptions) expect(copy).to.deep.equal(judged.data);
        }),
        { numRuns: 2_000 },
      );
      expect(Math.min(taken, refused)).to.be.above(100);
    });
  }

  it('say what is wrong, and where', () => {
    expect(isMirrorOptions({ collection: 'a', maxDelete: 1 })).to.equal(false);
    expect(faultsOf(isMirrorOptions)).to.equal("it must NOT have additional properties ('maxDelete')");
    expect(isToWorker({ ...envelope, type: 'stop', timeout: 'soon', answerTimeout: 1, webSocketTimeout: 1 })).to.equal(
      false,
    );
    expect(faultsOf(isToWorker)).to.equal('timeout must be number');
  });
});
