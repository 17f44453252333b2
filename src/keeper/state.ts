/**
 * What a keeper knows of its apps, what can happen, and what is to be done.
 *
 * starting   its primary boots, or takes over from another one. Until every app has served once, the end of one ends them
 *            all, with its exit code: a deployment that does not work should be seen to fail.
 * serving    its primary has said that every worker serves.
 * waiting    its primary has died, and the next one is started when the time has come.
 * ending     it was stopped, or could not start: primaries of it are still there.
 * over       none is. When all apps are, the keeper ends.
 *
 * The stage follows from the primaries of the app (`site`, see handover.ts).
 */
import { newSite, type Order, type Site, type Word } from './handover.ts';
import type { Build } from '../protocol/keeper.ts';

export const stageMoves = {
  starting: ['serving', 'waiting', 'ending', 'over'],
  serving: ['starting', 'waiting', 'ending', 'over'],
  waiting: ['starting', 'ending', 'over'],
  ending: ['over'],
  over: [],
} as const satisfies Record<string, readonly string[]>;
export type Stage = keyof typeof stageMoves;

/** A state while a step changes its own copy of it. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export interface App {
  readonly name: string;
  readonly stage: Stage;
  /** Its primaries. */
  readonly site: Site;
  /** It has served, so that whatever ends its primary is no reason to give it up. */
  readonly hasServed: boolean;
  /** Its last owner has said that it could not start: nobody is to wait for the next one. */
  readonly couldNotStart: boolean;
  /** Primaries in a row that did not serve for long. */
  readonly failures: number;
  /** When its primary began to serve. */
  readonly readyAt: number;
  readonly retryAt: number | null;
}

export interface Keeper {
  readonly apps: readonly App[];
  /** Asked to end: nothing is started any more. */
  readonly stopping: boolean;
  /** How it is going to end. */
  readonly end: End;
}

export interface End {
  readonly code: number;
  /** Where a signal has ended the only primary: the keeper ends in the same way. */
  readonly signal: string | null;
}

/** The end of a primary. */
export interface Gone {
  readonly code: number | null;
  readonly signal: string | null;
  /** It has said before that it would end. */
  readonly meant: boolean;
  /** Why, where it has said that. */
  readonly error?: { readonly code: string; readonly message: string } | undefined;
}

export type Event =
  | { readonly type: 'begin' }
  /** The file has several apps, which take the place of the one that there seemed to be. */
  | { readonly type: 'apps'; readonly names: readonly string[] }
  | { readonly type: 'said'; readonly app: number; readonly process: number; readonly word: Word }
  | { readonly type: 'gone'; readonly app: number; readonly process: number; readonly how: Gone }
  | { readonly type: 'signal'; readonly signal: string }
  | { readonly type: 'tick' };

export type Effect =
  /** `again`: the app has served. `beside`: its owner is there. `former`: primaries that have yielded and still serve. */
  | {
      readonly type: 'start';
      readonly app: number;
      readonly process: number;
      readonly build: Build;
      readonly again: boolean;
      readonly beside: boolean;
      readonly former: readonly number[];
    }
  /** `how`: with `successor-failed`, its end. */
  | {
      readonly type: 'tell';
      readonly app: number;
      readonly process: number;
      readonly order: Exclude<Order, { type: 'stop' }>;
      readonly how?: Gone;
    }
  | { readonly type: 'signal'; readonly app: number; readonly process: number; readonly signal: string }
  /** Its sockets are closed: nobody will listen on them soon. */
  | { readonly type: 'close'; readonly app: number }
  /** Every app serves: whoever has started the keeper is told. */
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
  };
}

/** @param build what it runs itself */
export function newKeeper(build: Build): Keeper {
  return { apps: [newApp('the app', newSite(build))], stopping: false, end: { code: 0, signal: null } };
}
