/** What the real code asks a host of the model about itself. */
import { pauseFor, type Local } from '#quiesce/cluster/member.js';
import type { SiteEvent } from '#quiesce/cluster/events.js';
import type { Faults, Host } from './site-parts.ts';

export function localOf({ gate, busy, handler, writes, run, member, waits, former }: Host, faults: Faults): Local {
  const waiters = new Set(waits ? [member.ref.host] : []);
  const isQuiet = !gate && !busy;
  const isIdle = isQuiet && !handler && writes === null && (former === null || faults.joinsBeside === true);
  const isAtRest = isQuiet && (former === null || faults.restsAlone === true);
  return { rest: isAtRest ? pauseFor(member) : null, isIdle, run, past: () => null, waiters, reloaded: null };
}

export function replacing(event: SiteEvent, { replaces }: Host): SiteEvent {
  return event.type === 'join' && replaces !== null ? { ...event, replaces } : event;
}
