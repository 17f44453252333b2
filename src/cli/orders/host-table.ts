/** The hosts of a cluster, for a terminal. */
import { duration, styled } from '../output.ts';
import { table } from '../table.ts';
import type { HostStatus } from '../../protocol/api/runs.ts';
import { visibleIn } from '../../protocol/visible.ts';

const colours = { serving: 'green', draining: 'yellow', quiesced: 'yellow', away: 'red' } as const;

export function hostTable(hosts: readonly HostStatus[]): string {
  const rows = visibleIn(hosts).map(({ name, state, lease, version = '', here }) => {
    const left = lease > 0 ? duration(lease) : `over for ${duration(-lease)}`;
    return [name, styled(colours[state], state), left, version, here ? 'this host' : ''];
  });
  return table(['host', 'state', 'lease', 'version', ''], rows, [2]);
}
