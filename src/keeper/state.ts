/**
 * The keeper's state, the events that change it, and the effects that follow. The stages of an app:
 *
 * starting   its primary boots or takes over. Until every app has served once, the end of one app ends all of them with
 *            its exit code, so that a broken deployment fails visibly.
 * serving    its primary has reported that every worker serves.
 * waiting    its primary has died; the next one starts after a delay.
 * ending     it was stopped or could not start; some of its primaries still run.
 * over       no primary is left. When every app is over, the keeper ends.
 *
 * The stage follows from the primaries of the app (`site`, see handover.ts).
 */
import { newSite, type Order, type Site, type Word } from './handover.ts';
import type { Build } from '../protocol/keeper/messages.ts';

/** How often each primary is checked, ms. */
export const lookEvery = 5_000;

export const stageMoves = {
  starting: ['serving', 'waiting', 'ending', 'over'],
  serving: ['starting', 'waiting', 'ending', 'over'],
  waiting: ['starting', 'ending', 'over'],
  ending: ['over'],
  over: [],
} as const satisfies Record<string, readonly string[]>;
export type Stage = keyof typeof stageMoves;

export interface App {
  readonly name: string;
  readonly stage: Stage;
  /** Its primaries. */
  readonly site: Site;
  /** The app has served once: from then on its primary is restarted, whatever ends it. */
  readonly hasServed: boolean;
  /** Its last owner reported that it could not start: clients are not to wait for the next one. */
  readonly couldNotStart: boolean;
  /** How many primaries in a row served only briefly, or not at all. */
  readonly failures: number;
  /** When its primary started to serve. */
  readonly readyAt: number;
  readonly retryAt: number | null;
  /**
   * Of each primary that has said something, how many checks it has been silent for. Before its first message a busy
   * machine may delay one for long.
   */
  readonly silence: ReadonlyMap<number, number>;
}

export interface Keeper {
  readonly apps: readonly App[];
  /** The keeper was asked to stop: it starts nothing more. */
  readonly stopping: boolean;
  /** How the keeper will end. */
  readonly end: End;
}

export interface End {
  readonly code: number;
  /** The signal that ended the only primary; the keeper ends by the same one. */
  readonly signal: string | null;
}

/** How a primary has ended. */
export interface Gone {
  readonly code: number | null;
  readonly signal: string | null;
  /** It announced its end with `ending`. */
  readonly meant: boolean;
  /** The reason, if it gave one with `ending`. */
  readonly error?: { readonly code: string; readonly message: string } | undefined;
}

export type Event =
  | { readonly type: 'begin' }
  /** The configuration has several apps, which replace the single app that the keeper began with. */
  | { readonly type: 'apps'; readonly names: readonly string[] }
  | { readonly type: 'said'; readonly app: number; readonly process: number; readonly word: Word }
  | { readonly type: 'gone'; readonly app: number; readonly process: number; readonly how: Gone }
  | { readonly type: 'signal'; readonly signal: string }
  /** A message of a primary, whatever it says. */
  | { readonly type: 'heard'; readonly app: number; readonly process: number }
  /** Every {@link lookEvery} ms: whether each primary still responds. */
  | { readonly type: 'look' }
  | { readonly type: 'tick' };

export type Effect =
  /**
   * `again`: the app has served before. `beside`: its owner still runs. `former`: primaries that have yielded and still
   * serve.
   */
  | {
      readonly type: 'start';
      readonly app: number;
      readonly process: number;
      readonly build: Build;
      readonly again: boolean;
      readonly beside: boolean;
      readonly former: readonly number[];
    }
  /** `how`: with `successor-failed`, how the successor ended. */
  | {
      readonly type: 'tell';
      readonly app: number;
      readonly process: number;
      readonly order: Exclude<Order, { type: 'stop' }>;
      readonly how?: Gone;
    }
  | { readonly type: 'signal'; readonly app: number; readonly process: number; readonly signal: string }
  /** Close the app's sockets: no primary will listen on them soon. */
  | { readonly type: 'close'; readonly app: number }
  /** Every app serves: tell the process that has started the keeper. */
  | { readonly type: 'ready' }
  | { readonly type: 'say'; readonly text: string }
  | { readonly type: 'end'; readonly end: End };

export function newApp(name: string, site: Site): App {
  return {
    name,
    stage: 'starting',
    site,
    hasServed: false,
    couldNotStart: false,
    failures: 0,
    readyAt: 0,
    retryAt: null,
    silence: new Map(),
  };
}

/** @param build the quiesce and the Node that the keeper itself runs */
export function newKeeper(build: Build): Keeper {
  return { apps: [newApp('the app', newSite(build))], stopping: false, end: { code: 0, signal: null } };
}
