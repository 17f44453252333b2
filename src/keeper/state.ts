/**
 * What a keeper knows of its apps, what can happen, and what is to be done.
 *
 * starting   its primary boots. Until every app has served once, the end of one ends them all, with its exit code: a
 *            deployment that does not work should be seen to fail.
 * serving    its primary has said that every worker serves.
 * waiting    its primary has died, and the next one is started when the time has come.
 * over       it was stopped, or could not start. When all are, the keeper ends.
 */

export const stageMoves = {
  starting: ['serving', 'waiting', 'over'],
  serving: ['waiting', 'over'],
  waiting: ['starting', 'over'],
  over: [],
} as const satisfies Record<string, readonly string[]>;
export type Stage = keyof typeof stageMoves;

/** A state while a step changes its own copy of it. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export interface App {
  readonly name: string;
  readonly stage: Stage;
  /** Grows with each primary of this app. What comes from an older one counts for nothing. */
  readonly process: number;
  /** It has served, so that whatever ends its primary is no reason to give it up. */
  readonly hasServed: boolean;
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
}

export type Event =
  | { readonly type: 'begin' }
  /** The file has several apps, which take the place of the one that there seemed to be. */
  | { readonly type: 'apps'; readonly names: readonly string[] }
  | { readonly type: 'ready'; readonly app: number; readonly process: number }
  | { readonly type: 'gone'; readonly app: number; readonly process: number; readonly how: Gone }
  | { readonly type: 'signal'; readonly signal: string }
  | { readonly type: 'tick' };

export type Effect =
  | { readonly type: 'start'; readonly app: number; readonly process: number; readonly again: boolean }
  | { readonly type: 'signal'; readonly app: number; readonly signal: string }
  /** Its sockets are closed: nobody will listen on them soon. */
  | { readonly type: 'close'; readonly app: number }
  /** Every app serves: whoever has started the keeper is told. */
  | { readonly type: 'ready' }
  | { readonly type: 'say'; readonly text: string }
  | { readonly type: 'end'; readonly end: End };

export function newApp(name: string): App {
  return { name, stage: 'starting', process: 0, hasServed: false, failures: 0, readyAt: 0, retryAt: null };
}

export function newKeeper(): Keeper {
  return { apps: [newApp('the app')], stopping: false, end: { code: 0, signal: null } };
}
