/** `quiesce reload --primary`: replaces the primary by one of the quiesce and the Node that run this command. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { askedBy, type SignedTarget } from './asked-by.ts';
import { ControlClient } from '../control-client.ts';
import { findDataDir } from '../find-data-dir.ts';
import { counted, print, say, warn } from '../output.ts';
import { tellOnce, tellingOfRun } from './waiting-for-run.ts';
import { QuiesceError } from '../../errors.ts';
import { describeProcess, lifeOf } from '../../primary/data-dir/lock-owner.ts';
import { lineOf } from '../../primary/reload/words.ts';
import { visibleIn } from '../../protocol/visible.ts';
import type { ClusterStatus } from '../../protocol/api/runs.ts';
import { version } from '../../version.ts';

/** No message about what is waited for is printed before this time, ms. */
const patience = 2_000;
const lookEvery = 50;

/** Returns when the new primary serves and the old one has ended. Fails if the new one cannot boot; then nothing has changed. */
export async function replacePrimary(options: SignedTarget, wait: boolean): Promise<void> {
  const client = new ControlClient(await findDataDir(options));
  const { pid: before } = await client.status();
  const former = describeProcess(before);
  say(
    `starting a primary of quiesce ${version} on Node ${process.versions.node} beside the one that serves (pid ${before})`,
  );
  const own = fileURLToPath(new URL('../main.js', import.meta.url));
  const build = { node: process.execPath, main: own, called: process.argv[1] ?? null };
  // What is wrong with the file, or keeps the primary from being replaced, the handover itself tells.
  const preview = await client.reload({ dryRun: true }).catch(() => null);
  const order = client.handOver({ ...build, wait, ...askedBy(options) }).catch(explain);
  const { pid, over } = await tellingOfRun(client, 'the handover', order, { also: tellOnce(drainOf) });
  for (const change of visibleIn(preview?.changes ?? [])) print(lineOf(change));
  print(`replaced the primary: pid ${before} → ${pid ?? 'one that has gone again'}`);
  const tell = tellOnce(() => `the former primary (pid ${before}) still finishes what is in flight`);
  for (const since = performance.now(); lifeOf(former) === 'alive'; await sleep(lookEvery))
    if (performance.now() - since > patience) tell();
  for (const warning of visibleIn(await over)) warn(warning);
}

/** A primary of an older version does not know the order. */
function explain(error: unknown): never {
  if (!(error instanceof QuiesceError) || error.code !== 'not-found') throw error;
  const what = 'The primary that runs is of an older version of quiesce, which cannot be replaced while it serves.';
  throw new QuiesceError('not-replaceable', `${what} Once: quiesce stop, then quiesce start.`, { cause: error });
}

/** A handover waits for a drain, too. */
function drainOf({ phase, waitingFor }: ClusterStatus): string {
  if (phase !== 'draining') return '';
  return `the handover waits for ${counted(waitingFor.length, 'request')} in flight`;
}
