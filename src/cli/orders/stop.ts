/** `quiesce stop`: stops an app. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ControlClient } from '../control-client.ts';
import { askedBy, type SignedTarget } from './asked-by.ts';
import { findDataDir } from '../find-data-dir.ts';
import { print } from '../output.ts';
import { tellingOfRun } from './waiting-for-run.ts';
import { QuiesceError } from '../../errors.ts';
import { lifeOf, readOwner } from '../../primary/data-dir/lock-owner.ts';

/** Returns when the primary has released its data directory, so that the next `start` can use it. */
export async function stop(options: SignedTarget & { now?: boolean }): Promise<void> {
  const dataDir = await findDataDir(options);
  const owner = readOwner(dataDir);
  const client = new ControlClient(dataDir);
  const now = options.now ?? false;
  const { pid } = await client.stop(now, askedBy(options)).catch((error: unknown) => {
    // A primary of an older version refuses a name that it does not know, and has to be stopped to be replaced.
    if (error instanceof QuiesceError && error.code === 'bad-request') return client.stop(now);
    throw error;
  });
  // A process that is not a child gives no event when it ends.
  const holds = (): boolean => {
    const now = readOwner(dataDir);
    return (
      now !== undefined &&
      now.lock === owner?.lock &&
      lifeOf(now) !== 'dead' &&
      existsSync(path.join(dataDir, 'primary.lock'))
    );
  };
  const gone = async (): Promise<void> => {
    while (holds()) await sleep(50);
  };
  await tellingOfRun(client, 'stop', gone(), { more: ' To stop at once: quiesce stop --now.' });
  print(`stopped (pid ${pid})`);
}
