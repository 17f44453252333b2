/** What a host of a cluster needs to take part. */
import type { Site, SiteRules } from './document.ts';
import type { Refusal, SiteEvent } from './events.ts';
import type { EvictedHost } from './evictions.ts';
import type { Local } from './member.ts';
import type { Membership } from './membership.ts';
import type { SiteStore } from './store.ts';

export interface HostOptions {
  readonly store: Pick<SiteStore, 'apply' | 'close' | 'peek' | 'read' | 'refound' | 'renew' | 'watch'>;
  readonly rules: SiteRules & { readonly renewal: number };
  readonly host: string;
  readonly name: string;
  /** The version of quiesce. */
  readonly version: string;
  /** The prefix of each incarnation of this primary, or of the one whose membership it goes on with. */
  readonly primary: string;
  /**
   * That prefix of the former primary, if it was seen dead, and all of its workers with it, or if `local` is not idle until
   * they are gone.
   */
  readonly replaces: string | null;
  /** What the former primary has handed over; null if this one joins as a new incarnation. */
  readonly membership: (Membership & { readonly sleepOffset: number }) | null;
  readonly local: () => Local;
  /** Called when the view has changed or the lease has ended. */
  readonly onView: () => void;
  readonly onRefused: (event: SiteEvent, refused: Refusal, site: Site) => void;
  readonly onEviction: (host: EvictedHost) => void;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

/** The longest warnings of a host. */
export const notLeft =
  'this host could not take itself out of the cluster; the other hosts evict it when its lease is over';
export const documentLost =
  'the cluster document was removed, or restored from a backup: it is older than the one this host has seen. All hosts join again';
export const wasSuspended = 'this machine was suspended: the lease of this host ends earlier by that time';
