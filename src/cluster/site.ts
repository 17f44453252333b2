/**
 * The one function that changes the site document of a cluster of hosts. Pure; the caller writes the result by
 * compare-and-set of the version: of two concurrent writers one is refused and reads again.
 *
 * run    claimed → preparing → draining → running → (none), or the end from any stage
 * host   joins with shut gates, renews its lease, reports the epoch its workers are at rest for, leaves or is evicted
 * hold   none → (scheduled) → held → none, by any host
 *
 * The protocol and its proof: docs/architecture.md, "Many hosts".
 */
import { evictableAt, isMember, type Site, type SiteHost, type SiteRules } from './document.ts';
import { same, type EventOf, type Refusal, type SiteEvent } from './events.ts';
import { beginScheduled, giveUp, hold, holdWithout, lapse, settled, unhold } from './site-holds.ts';
import { reloaded, reloadWithout, startReload } from './site-reload.ts';
import { tick } from './site-ticks.ts';
import { abandon, begin, bury, claim, drain, end, onReturn, prepare, runWithout, takeOver } from './site-run.ts';

export type SiteStep =
  | { readonly site: Site; readonly refused: null }
  /** The document stays as it is. */
  | { readonly site: Site; readonly refused: Refusal };

/** @throws Error on a move that the table does not list: a defect, never an input. */
export function siteStep(site: Site, event: SiteEvent, now: number, rules: SiteRules): SiteStep {
  const change = apply(site, event, now, rules);
  if (change === same) return { site, refused: null };
  if (typeof change === 'string') return { site, refused: change };
  return { site: settled({ ...site, ...change, version: site.version + 1 }), refused: null };
}

function apply(site: Site, event: SiteEvent, now: number, rules: SiteRules): Partial<Site> | Refusal {
  switch (event.type) {
    case 'join':
      return join(site, event, now, rules);
    case 'evict':
      return evict(site, event, now, rules);
    case 'remove':
      return isMember(site, event) ? without(site, event.host) : 'over';
    default:
      return isMember(site, event.ref) ? ofMember(site, event, now, rules) : 'evicted';
  }
}

function ofMember(
  site: Site,
  event: Exclude<SiteEvent, { type: 'join' | 'evict' | 'remove' }>,
  now: number,
  rules: SiteRules,
): Partial<Site> | Refusal {
  const { ref } = event;
  switch (event.type) {
    case 'renew':
      return withHost(site, ref.host, { lease: now + rules.lease });
    case 'update':
      return withHost(site, ref.host, { version: event.version });
    case 'leave':
      return without(site, ref.host);
    case 'claim':
      return claim(site, event);
    case 'prepare':
      return prepare(site, event);
    case 'drain':
      return drain(site, event, now, rules);
    case 'rest':
      return event.epoch === site.epoch && site.hosts[ref.host]!.rest < event.epoch
        ? withHost(site, ref.host, { rest: event.epoch })
        : 'over';
    case 'begin':
      return begin(site, event);
    case 'end':
      return end(site, event, now);
    case 'take-over':
      return takeOver(site, event, now, rules);
    case 'bury':
      return bury(site, event, now, rules);
    case 'abandon':
      return abandon(site, event);
    case 'hold':
      return hold(site, event, now, rules);
    case 'give-up':
      return giveUp(site, event);
    case 'schedule':
      return { scheduled: event.hold };
    case 'unhold':
      return unhold(site, event);
    case 'reload':
      return startReload(site, event);
    case 'reloaded':
      return reloaded(site, event);
    case 'tick':
      return tick(site, event, now);
    case 'lapse':
      return lapse(site, now);
    case 'begin-scheduled':
      return beginScheduled(site, now, rules);
    default:
      return event satisfies never;
  }
}

/** A host joins with shut gates and nothing in flight, so it is at rest for the current epoch. */
function join(
  site: Site,
  { ref, name, version, replaces }: EventOf<'join'>,
  now: number,
  rules: SiteRules,
): Partial<Site> | Refusal {
  const former = site.hosts[ref.host];
  const isFree =
    former === undefined || former.incarnation === ref.incarnation || former.incarnation.startsWith(`${replaces}.`);
  if (!isFree && now <= evictableAt(former, rules)) return 'host-in-use';
  const rest = former === undefined ? site : { ...site, ...without(site, ref.host) };
  const host: SiteHost = {
    incarnation: ref.incarnation,
    name: ownName(rest, name),
    lease: now + rules.lease,
    rest: site.epoch,
    ...(version === undefined ? {} : { version }),
  };
  const { run, operator } = { ...rest, ...onReturn(rest, ref.host, now) };
  return { run, operator, reload: rest.reload, hosts: { ...rest.hosts, [ref.host]: host } };
}

/**
 * A name that no other host has. Hosts on one machine all bring the machine's name, so each further one gets a number.
 */
function ownName({ hosts }: Site, name: string): string {
  const taken = new Set(Object.values(hosts).map((host) => host.name));
  let own = name;
  for (let number = 2; taken.has(own); number++) own = `${name}-${number}`;
  return own;
}

function evict(
  site: Site,
  { host, incarnation }: EventOf<'evict'>,
  now: number,
  rules: SiteRules,
): Partial<Site> | Refusal {
  const found = site.hosts[host];
  if (found?.incarnation !== incarnation) return 'over';
  return now > evictableAt(found, rules) ? without(site, host) : 'not-yet';
}

function without(site: Site, host: string): Pick<Site, 'hosts' | 'run' | 'operator' | 'reload'> {
  const { [host]: gone, ...hosts } = site.hosts;
  const ref = { host, incarnation: gone?.incarnation ?? '' };
  const { operator, reload } = site;
  return {
    hosts,
    run: runWithout(site, ref),
    operator: holdWithout(operator, ref),
    reload: reloadWithout(reload, host),
  };
}

function withHost(site: Site, host: string, change: Partial<SiteHost>): Partial<Site> {
  return { hosts: { ...site.hosts, [host]: { ...site.hosts[host]!, ...change } } };
}
