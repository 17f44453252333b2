/** The events that change the site document, and the reasons for which one is refused. */
import type { ErrorCode } from '../errors.ts';
import type { HoldChange, ScheduledHold } from '../protocol/hold/operator-hold.ts';
import type { RunKind } from '../protocol/words.ts';
import type { HostRef, Site, SiteMirrored, SiteRun } from './document.ts';

interface OfRun {
  readonly ref: HostRef;
  readonly run: string;
}

/** The result of a feed that may have changed documents. */
export type Outcome = Omit<SiteMirrored, 'run' | 'host'>;

/** Why a host did not apply its new configuration. */
export interface HostFailure {
  readonly code: string;
  readonly why: string;
}

export type SiteEvent =
  /**
   * `replaces`: the prefix of the incarnations of a former primary of this host that has ended, and all of its workers
   * with it: it was seen dead, or was waited for.
   */
  | {
      readonly type: 'join';
      readonly ref: HostRef;
      readonly name: string;
      readonly version?: string;
      readonly replaces?: string;
    }
  | { readonly type: 'renew'; readonly ref: HostRef }
  /** It goes on under the same incarnation with another version of quiesce. */
  | { readonly type: 'update'; readonly ref: HostRef; readonly version: string }
  | { readonly type: 'leave'; readonly ref: HostRef }
  | { readonly type: 'evict'; readonly host: string; readonly incarnation: string }
  /** An operator removes a host that he knows to be dead. */
  | { readonly type: 'remove'; readonly host: string; readonly incarnation: string }
  | ({ readonly type: 'claim'; readonly kind: RunKind; readonly keeps?: SiteRun['keeps'] } & OfRun)
  | ({ readonly type: 'prepare' } & OfRun)
  | ({ readonly type: 'drain' } & OfRun)
  /** `shared`: the feed is stored in MongoDB, so any host can finish the run. */
  | ({ readonly type: 'begin'; readonly shared?: boolean } & OfRun)
  | ({ readonly type: 'take-over' } & OfRun)
  | { readonly type: 'rest'; readonly ref: HostRef; readonly epoch: number }
  /** `failed`: the work of the run had begun and is not known to have succeeded. */
  | ({ readonly type: 'end'; readonly failed?: boolean; readonly mirrored?: Outcome } & OfRun)
  /** Removes a run that has written nothing, so no host has to finish it, and whose owner is gone or silent. */
  | ({ readonly type: 'bury' } & OfRun)
  /**
   * An operator gives up a run whose owner is gone: he prefers a half-mirrored collection to a site that stays shut.
   */
  | ({ readonly type: 'abandon' } & OfRun)
  /**
   * `waiter`: the caller that wants the hold only if all hosts come to rest in time; null: the hold is unconditional.
   */
  | { readonly type: 'hold'; readonly ref: HostRef; readonly change: HoldChange; readonly waiter: string | null }
  | { readonly type: 'give-up'; readonly ref: HostRef; readonly waiter: string }
  | { readonly type: 'schedule'; readonly ref: HostRef; readonly hold: ScheduledHold }
  /** `releases`: the id of an `exec` run whose host was gone when the operator looked. */
  | { readonly type: 'unhold'; readonly ref: HostRef; readonly releases?: string }
  | { readonly type: 'reload'; readonly ref: HostRef; readonly id: string; readonly by: string | null }
  /** This host has finished its part of the reload, or failed. */
  | { readonly type: 'reloaded'; readonly ref: HostRef; readonly id: string; readonly failed: HostFailure | null }
  /** Claims one due time of a schedule. The first host that writes it does the work for all hosts. */
  | { readonly type: 'tick'; readonly ref: HostRef; readonly what: string; readonly at: number }
  /**
   * `lapse`: the hold has reached its end. `begin-scheduled`: the scheduled hold is due. The first host that notices
   * writes it.
   */
  | { readonly type: 'lapse'; readonly ref: HostRef }
  | { readonly type: 'begin-scheduled'; readonly ref: HostRef };

/** The event of this type. */
export type EventOf<T extends SiteEvent['type']> = Extract<SiteEvent, { type: T }>;

export type Refusal =
  | Extract<ErrorCode, 'run-in-progress'>
  | 'reload-in-progress'
  | 'evicted'
  | 'host-in-use'
  | 'not-yet'
  | 'over';

/** The event took effect before: a host sends a write again if its acknowledgement was lost. */
export const same: Partial<Site> = {};
