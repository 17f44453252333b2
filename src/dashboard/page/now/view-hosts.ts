/** Shows the hosts of the cluster, where there is one. */
import { row, sayCell, sayState, type Column } from '../parts/cells.ts';
import { byId, each, set } from '../parts/dom.ts';
import { age } from '../parts/format.ts';
import type { Model } from '../live/model.ts';

const columns: Column[] = [
  { label: 'Host', wide: true },
  { label: 'State' },
  { label: 'Lease', number: true },
  { label: 'Version', number: true },
];

export function showHosts({ status }: Model): void {
  const hosts = status?.hosts ?? [];
  set(byId('hosts'), 'hidden', hosts.length === 0);
  each(
    byId('host-rows'),
    hosts,
    ({ name }) => name,
    () => row(columns),
    (tr, { name, here, state, lease, version = '–' }) => {
      sayCell(tr, 0, name, here ? 'this host' : '');
      sayState(tr, 1, state, state);
      sayCell(tr, 2, lease > 0 ? age(lease) : 'over');
      sayCell(tr, 3, version);
    },
  );
}
