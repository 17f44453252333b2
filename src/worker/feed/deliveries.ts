/** Takes feeds that the primary has fetched, on the way of a PUT: claim, `transform` and `validate`, hand-over. */
import { isDeepStrictEqual } from 'node:util';
import { QuiesceError, toQuiesceError } from '../../errors.ts';
import type { CompleteMirrorOptions } from '../../protocol/workers/mirror-job.ts';
import type { ToWorker } from '../../protocol/workers/messages.ts';
import { claimRun, releaseRun } from '../gate/exclusive/exclusive.ts';
import { getRuntime, type Runtime } from '../process/runtime.ts';
import { withItems, workForRun } from './items/for-run.ts';
import type { CheckedOptions } from './mirror-options.ts';
import { submit } from './run-hooks.ts';

type Order = Extract<ToWorker, { type: 'take-feed' }>;

/** Every mirror of the app. */
const mirrors: CheckedOptions[] = [];
let listensTo: Runtime | null = null;

/** What a claim tells of the mirror. */
export function claimFor({
  collection,
  scope,
}: CompleteMirrorOptions): Pick<CompleteMirrorOptions, 'collection' | 'scope'> {
  return { collection, ...(scope === undefined ? {} : { scope }) };
}

/** From now on this mirror can be given feeds. */
export function takeDeliveries(checked: CheckedOptions): void {
  mirrors.push(checked);
  const runtime = getRuntime();
  if (runtime.mode === 'worker' && checked.sources.length > 0)
    void runtime.settings.then(() => {
      const sources = mirrors.flatMap((mirror) => mirror.sources);
      runtime.link.send({ type: 'sources', epoch: runtime.gate.epoch, sources });
    });
  if (listensTo === runtime || runtime.mode === 'foreign') return;
  listensTo = runtime;
  runtime.link.onMessage((message) => {
    if (message.type !== 'take-feed') return;
    const { delivery } = message;
    const answer = (more: { run: string } | { problem: object }): void =>
      runtime.link.send({ type: 'feed-taken', epoch: runtime.gate.epoch, delivery, ...more } as never);
    take(runtime, message).then(
      (run) => answer({ run }),
      (error: unknown) => answer({ problem: toQuiesceError(error, 'run-failed').toProblem() }),
    );
  });
}

/** Resolves with the run when it is the primary's. */
async function take(runtime: Runtime, { collection, scope, source, feed: given }: Order): Promise<string> {
  const { mirror, steps, hooks, items } = mirrorOf(collection, scope);
  const settings = await runtime.settings;
  const timeout = steps === null ? undefined : settings.sync.runTimeout;
  const asked = { method: 'GET', path: '(fetched)', source, ...claimFor(mirror) };
  const run = await claimRun(runtime, asked, 'sync', timeout);
  let feed = withItems(given, items);
  try {
    if (steps !== null) feed = await workForRun(runtime, run, feed, steps, settings);
  } catch (error) {
    void releaseRun(runtime, run, toQuiesceError(error, 'run-failed').toProblem());
    throw error;
  }
  await submit(runtime, { run, feed, mirror, hooks }, run);
  return run;
}

function mirrorOf(collection: string | null, scope: Order['scope']): CheckedOptions {
  const found = mirrors.filter(
    ({ mirror }) =>
      (collection === null || mirror.collection === collection) &&
      (scope === undefined || isDeepStrictEqual(mirror.scope ?? null, scope)),
  );
  const [one] = found;
  if (one !== undefined && found.length === 1) return one;
  const which = collection === null ? '' : ` of ${collection}`;
  const names = [...new Set(mirrors.map(({ mirror }) => mirror.collection))].join(', ');
  throw new QuiesceError(
    'bad-config',
    one === undefined
      ? `The feed of a source has no mirror(): this app has none${which}${names === '' ? '' : `, but of ${names}`}. Name its collection in sync.source.`
      : `This app has ${found.length} mirrors${which}, and a source cannot tell which is meant. Give the source to the mirror that is meant, mirror({ source }), or name in sync.source the collection of one that has it for itself.`,
  );
}
