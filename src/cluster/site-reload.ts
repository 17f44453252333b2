/**
 * A reload of all hosts, one after another. Pure: a part of `siteStep`, the one function that changes the site
 * document.
 */
import type { Site, SiteReload } from './document.ts';
import { same, type EventOf, type Refusal } from './events.ts';

export function isOver(reload: SiteReload | null): boolean {
  return reload === null || reload.left.length === 0;
}

/** The host that got the order comes first: if its file is wrong, no other host has been touched. */
export function startReload({ reload, hosts }: Site, { ref, id, by }: EventOf<'reload'>): Partial<Site> | Refusal {
  if (reload?.id === id) return same;
  if (!isOver(reload)) return 'reload-in-progress';
  const others = Object.entries(hosts).filter(([host]) => host !== ref.host);
  others.sort(([, a], [, b]) => a.name.localeCompare(b.name));
  const left = [ref.host, ...others.map(([host]) => host)];
  return { reload: { id, by, left, done: 0, of: left.length, failed: null } };
}

/** Stops at the first host that fails; the hosts after it keep their configuration. */
export function reloaded(site: Site, { ref, id, failed }: EventOf<'reloaded'>): Partial<Site> | Refusal {
  const { reload, hosts } = site;
  if (reload?.id !== id || reload.left[0] !== ref.host) return 'over';
  if (failed !== null) return { reload: { ...reload, left: [], failed: { ...failed, host: hosts[ref.host]!.name } } };
  return { reload: { ...reload, left: reload.left.slice(1), done: reload.done + 1 } };
}

/** Leaves out a host that is gone: it reads its configuration when it starts again. */
export function reloadWithout(reload: SiteReload | null, host: string): SiteReload | null {
  if (reload === null || !reload.left.includes(host)) return reload;
  return { ...reload, left: reload.left.filter((each) => each !== host), of: reload.of - 1 };
}
