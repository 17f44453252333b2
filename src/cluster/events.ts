/** What may happen to the site document, and how that can be refused. */
import type { ErrorCode } from '../errors.ts';
import type { HoldChange, ScheduledHold } from '../protocol/operator-hold.ts';
import type { RunKind } from '../protocol/words.ts';
import type { HostRef, Site, SiteMirrored, SiteRun } from './document.ts';

interface OfRun {
  readonly ref: HostRef;
  readonly run: string;
}

/** What became of a feed that may have changed documents. */
export type Outcome = Omit<SiteMirrored, 'run' | 'host'>;

/** Why a host has not taken its new configuration. */
export interface HostFailure {
  readonly code: string;
  readonly why: string;
}

export type SiteEvent =
  /** `replaces`: a former primary, seen dead with each of its workers; its incarnations begin with this. */
  | {
      readonly type: 'join';
      readonly ref: HostRef;
      readonly name: string;
      readonly version?: string;
      readonly replaces?: string;
    }
  | { readonly type: 'renew'; readonly ref: HostRef }
  | { readonly type: 'leave'; readonly ref: HostRef }
  | { readonly type: 'evict'; readonly host: string; readonly incarnation: string }
  /** By an operator, who knows that it is dead. */
  | { readonly type: 'remove'; readonly host: string; readonly incarnation: string }
  | ({ readonly type: 'claim'; readonly kind: RunKind; readonly keeps?: SiteRun['keeps'] } & OfRun)
  | ({ readonly type: 'prepare' } & OfRun)
  | ({ readonly type: 'drain' } & OfRun)
  /** `shared`: its feed lies where every host finds it. */
  | ({ readonly type: 'begin'; readonly shared?: boolean } & OfRun)
  | ({ readonly type: 'take-over' } & OfRun)
  | { readonly type: 'rest'; readonly ref: HostRef; readonly epoch: number }
  /** `failed`: its work has begun, and is not known to have succeeded. */
  | ({ readonly type: 'end'; readonly failed?: boolean; readonly mirrored?: Outcome } & OfRun)
  /** The end of a run whose owner is gone and which nobody has to finish. */
  | ({ readonly type: 'bury' } & OfRun)
  /** By an operator, of a run whose owner is gone: he takes a half-mirrored collection over a site that stays shut. */
  | ({ readonly type: 'abandon' } & OfRun)
  /** `waiter`: who wants it only if the hosts come to rest in time; null for one who wants it in any case. */
  | { readonly type: 'hold'; readonly ref: HostRef; readonly change: HoldChange; readonly waiter: string | null }
  | { readonly type: 'give-up'; readonly ref: HostRef; readonly waiter: string }
  | { readonly type: 'schedule'; readonly ref: HostRef; readonly hold: ScheduledHold }
  /** `releases`: a command whose host was gone when the operator looked. */
  | { readonly type: 'unhold'; readonly ref: HostRef; readonly releases?: string }
  | { readonly type: 'reload'; readonly ref: HostRef; readonly id: string; readonly by: string | null }
  /** This host has done its part of the reload. */
  | { readonly type: 'reloaded'; readonly ref: HostRef; readonly id: string; readonly failed: HostFailure | null }
  /** What is due at that time is done by one host for all: the first that says so. */
  | { readonly type: 'tick'; readonly ref: HostRef; readonly what: string; readonly at: number }
  /** The time of the hold is over, or that of the scheduled one has come: whoever sees it first says so. */
  | { readonly type: 'lapse'; readonly ref: HostRef }
  | { readonly type: 'begin-scheduled'; readonly ref: HostRef };

export type Refusal =
  | Extract<ErrorCode, 'run-in-progress'>
  | 'reload-in-progress'
  | 'evicted'
  | 'host-in-use'
  | 'not-yet'
  | 'over';

/** Done before: an acknowledgement can be lost after the write took effect, and the write is then sent again. */
export const same: Partial<Site> = {};
