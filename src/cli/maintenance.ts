import { ControlClient } from './control-client.ts';
import { findDataDir, type Target } from './find-data-dir.ts';
import { print } from './output.ts';
import type { ClusterStatus } from '../protocol/runs.ts';

export async function maintenanceOn(options: Target & { reason?: string; for?: number }): Promise<number> {
  const client = new ControlClient(await findDataDir(options));
  const { reason, for: limit } = options;
  const status = await client.maintenance({
    on: true,
    ...(reason === undefined ? {} : { reason }),
    ...(limit === undefined ? {} : { for: limit }),
  });
  print(describe(status));
  return 0;
}

export async function maintenanceOff(options: Target): Promise<number> {
  print(describe(await new ControlClient(await findDataDir(options)).maintenance({ on: false })));
  return 0;
}

export async function maintenanceStatus(options: Target): Promise<number> {
  print(describe(await new ControlClient(await findDataDir(options)).status()));
  return 0;
}

function describe({ holds, phase }: ClusterStatus): string {
  const hold = holds.find(({ kind }) => kind === 'operator');
  if (hold === undefined) return `maintenance: off (${phase})`;
  const until = hold.until === undefined ? 'until it is turned off' : `until ${hold.until}`;
  return `maintenance: on since ${hold.since}, ${until} (${phase})${hold.reason === '' ? '' : `: ${hold.reason}`}`;
}
