/** `quiesce hosts`: the hosts of the cluster, and `quiesce hosts remove`. */
import { createInterface } from 'node:readline/promises';
import { askedBy, type SignedTarget } from './asked-by.ts';
import { ControlClient } from '../control-client.ts';
import { findDataDir, type Target } from '../find-data-dir.ts';
import { duration, print, printJson } from '../output.ts';
import { hostTable } from './host-table.ts';
import { QuiesceError } from '../../errors.ts';
import { noOthers } from '../../primary/hosts/unreachable.ts';
import type { HostStatus } from '../../protocol/api/runs.ts';
import { visibleIn } from '../../protocol/visible.ts';

export interface HostsOptions extends Target {
  readonly json?: boolean;
}

export interface RemoveOptions extends SignedTarget {
  readonly yes?: boolean;
}

export async function hosts(options: HostsOptions): Promise<void> {
  const { hosts: list } = await new ControlClient(await findDataDir(options)).status();
  if (list === undefined) throw noOthers();
  if (options.json) printJson(list);
  else print(hostTable(list));
}

export async function removeHost(name: string, options: RemoveOptions): Promise<void> {
  const client = new ControlClient(await findDataDir(options));
  const { hosts: list } = await client.status();
  if (list === undefined) throw noOthers();
  const found = list.find((host) => host.name === name);
  if (found !== undefined && options.yes !== true && !(await isSure(visibleIn(found)))) return;
  const after = await client.removeHost(name, askedBy(options));
  print(hostTable(after.hosts ?? []));
}

async function isSure({ name, lease, state }: HostStatus): Promise<boolean> {
  const how = state === 'away' ? `its lease is over` : `it may be ALIVE: its lease is good for ${duration(lease)}`;
  const text = `${name}: ${how}. Once it is removed, runs no longer wait for it. Remove it only if its processes are dead.`;
  if (!process.stdin.isTTY) throw new QuiesceError('bad-usage', `${text} To do it without a question: --yes`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${text}\nTake it out? [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
