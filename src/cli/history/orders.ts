/** `quiesce orders`: who held, released, reloaded, scaled, cancelled or stopped, and when. Needs no running primary. */
import { findDataDir, type Target } from '../find-data-dir.ts';
import { duration, print, printJson } from '../output.ts';
import { table } from '../table.ts';
import { storedOrders, type OrderRecord } from '../../primary/admin/order-history.ts';
import { visibleIn } from '../../protocol/visible.ts';

export interface OrdersOptions extends Target {
  readonly json?: boolean;
  readonly limit: number;
}

export async function orders(options: OrdersOptions): Promise<void> {
  const all = await storedOrders(await findDataDir(options));
  const items = all.slice(-options.limit).reverse();
  if (options.json) printJson(items);
  else print(items.length === 0 ? 'no orders yet' : listed(visibleIn(items)));
}

function listed(items: readonly OrderRecord[]): string {
  const rows = items.map(({ time, order, by = '', ...details }) => [time, order, by, detailsText(details)]);
  return table(['given', 'order', 'by', 'with'], rows, []);
}

function detailsText({ forMs, ...others }: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(others).map(([name, value]) => `${name} ${String(value)}`);
  return [...(typeof forMs === 'number' ? [`for ${duration(forMs)}`] : []), ...parts].join(', ');
}
