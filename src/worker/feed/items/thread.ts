/** The thread that handles the items of one feed: app code that is slow, throws or never returns harms nothing else. */
import { parentPort, workerData } from 'node:worker_threads';
import { toQuiesceError } from '../../../errors.ts';
import { toStorageError } from '../../../mirror/storage-error.ts';
import { loadSteps } from './load.ts';
import type { FromItemThread, ItemJob } from './messages.ts';
import { workOnItems } from './work.ts';

if (!parentPort) throw new Error('The items of a feed are worked on in a thread.');
const port = parentPort;
const { steps, feed, at } = workerData as ItemJob;

async function work(): Promise<void> {
  const loaded = await loadSteps(steps);
  if (feed !== null) await workOnItems(feed, loaded, new Int32Array(at));
}

work().then(
  () => port.postMessage({ type: 'done' } satisfies FromItemThread),
  (error: unknown) => {
    const problem = toQuiesceError(toStorageError(error), 'run-failed').toProblem();
    port.postMessage({ type: 'failed', problem } satisfies FromItemThread);
  },
);
