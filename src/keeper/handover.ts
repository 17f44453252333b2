/**
 * Replaces the primary of an app by another one while the site serves: what the keeper does, as one pure function. Who is
 * told what is in `Order`, what primaries say in `Word`.
 *
 * A primary, as its keeper sees it:
 *
 *   beside    boots beside the owner: loads everything, forks workers that do not listen yet, and writes nothing.
 *   prepared  could take over at once.
 *   taking    was told to take over: it alone writes to the data directory from now on. Also one that starts alone.
 *   serving   its workers serve.
 *   yielded   has given the data directory up for its successor, durably. Its workers serve on, without any change of hold or run.
 *   leaving   its successor serves: it finishes what is in flight, with `Connection: close`, and ends.
 *   (gone)    from anywhere.
 *
 * The owner is the one that is taking or serving, or else nobody. Nobody is told to take over before the owner has said
 * that it yields, or has gone: so there are never two. Who takes over is told of those that are still there, and counts
 * them as one worker that is at work until they have gone: a pause waits for their last handler.
 */
import { checkMove } from '../moves.ts';
import type { Build } from '../protocol/keeper.ts';
import type { Mutable } from './state.ts';

export const primaryMoves = {
  beside: ['prepared'],
  prepared: ['taking'],
  taking: ['serving'],
  serving: ['yielded'],
  yielded: ['leaving'],
  leaving: [],
} as const satisfies Record<string, readonly string[]>;
export type PrimaryStage = keyof typeof primaryMoves;

export interface Primary {
  readonly id: number;
  readonly stage: PrimaryStage;
  readonly build: Build;
}

export interface Site {
  /** In the order of their starts. */
  readonly primaries: readonly Primary[];
  readonly started: number;
  /** The last one that came to serve: where a primary dies, this is what is started. */
  readonly build: Build;
  /** The next primary waits for its time to be started. */
  readonly isDue: boolean;
  readonly stopping: boolean;
}

/** What a primary says. */
export type Word =
  /** Of the owner: it is to be replaced by another of this build. */
  | { readonly type: 'replace'; readonly build: Build }
  /** Of the owner: not after all, for a stop or a caller that has given up. */
  | { readonly type: 'stay' }
  /** Of one beside it. */
  | { readonly type: 'prepared' }
  /** Of the owner, as an answer to `successor-prepared`: everything is on the disk, and nothing more will be written. */
  | { readonly type: 'yielded' }
  | { readonly type: 'serving' };

export type Event =
  | { readonly type: 'said'; readonly id: number; readonly word: Word }
  /** `isLast`: it has ended as planned, and the site with it. */
  | { readonly type: 'gone'; readonly id: number; readonly isLast?: boolean }
  /** The next primary may be started now: the first one, or one after a death. */
  | { readonly type: 'due' }
  | { readonly type: 'stop' };

/** What a primary is told. */
export type Order =
  | { readonly type: 'successor-prepared' }
  | { readonly type: 'successor-failed' }
  /** Another replacement is going on. */
  | { readonly type: 'refused' }
  /** Take lock, hold, epoch, journal and history over, listen, and open. `former`: who still has handlers at work. */
  | { readonly type: 'take'; readonly former: readonly number[] }
  | { readonly type: 'former-gone'; readonly former: number }
  | { readonly type: 'leave' }
  | { readonly type: 'stop' };

export type Effect =
  /** `alone`: it takes over by itself; else it boots beside the owner. */
  | {
      readonly type: 'start';
      readonly id: number;
      readonly build: Build;
      readonly alone: boolean;
      readonly former: readonly number[];
    }
  | { readonly type: 'tell'; readonly id: number; readonly order: Order }
  | { readonly type: 'kill'; readonly id: number }
  /** A `due` is wanted, when the restart policy allows it. */
  | { readonly type: 'wait' };

type Draft = Mutable<Omit<Site, 'primaries'>> & { primaries: Mutable<Primary>[] };

/** @param started how many there have been before it */
export function newSite(build: Build, started = 0): Site {
  return { primaries: [], started, build, isDue: true, stopping: false };
}

export function ownerOf<T extends Primary>({ primaries }: { readonly primaries: readonly T[] }): T | undefined {
  return primaries.find(({ stage }) => stage === 'taking' || stage === 'serving');
}

function successorOf({ primaries }: Draft): Mutable<Primary> | undefined {
  return primaries.find(({ stage }) => stage === 'beside' || stage === 'prepared');
}

/** Whose handlers may still be at work beside those of the owner. */
function formerOf({ primaries }: Draft): Mutable<Primary>[] {
  return primaries.filter(({ stage }) => stage === 'yielded' || stage === 'leaving');
}

export function step(site: Site, event: Event): { site: Site; effects: Effect[] } {
  const draft: Draft = { ...site, primaries: site.primaries.map((each) => ({ ...each })) };
  const effects: Effect[] = [];
  switch (event.type) {
    case 'said': {
      const speaker = draft.primaries.find(({ id }) => id === event.id);
      if (speaker !== undefined && !draft.stopping) hear(draft, speaker, event.word, effects);
      break;
    }
    case 'gone':
      gone(draft, event, effects);
      break;
    case 'due':
      due(draft, effects);
      break;
    case 'stop':
      stop(draft, effects);
      break;
    default:
      event satisfies never;
  }
  return { site: draft, effects };
}

function hear(draft: Draft, speaker: Mutable<Primary>, word: Word, effects: Effect[]): void {
  const { id, stage } = speaker;
  const successor = successorOf(draft);
  switch (word.type) {
    case 'replace':
      // One at a time: those before it have gone.
      if (stage !== 'serving' || draft.primaries.length > 1) return tell(effects, id, { type: 'refused' });
      return start(draft, word.build, false, effects);
    case 'stay':
      if (stage === 'serving' && successor !== undefined) effects.push({ type: 'kill', id: successor.id });
      return;
    case 'prepared': {
      if (stage !== 'beside') return;
      move(speaker, 'prepared');
      const owner = ownerOf(draft);
      if (owner === undefined) take(draft, speaker, effects);
      else tell(effects, owner.id, { type: 'successor-prepared' });
      return;
    }
    case 'yielded':
      if (stage !== 'serving') return;
      move(speaker, 'yielded');
      if (successor?.stage === 'prepared') take(draft, successor, effects);
      else if (successor === undefined) want(draft, effects);
      return;
    case 'serving':
      if (stage !== 'taking') return;
      move(speaker, 'serving');
      draft.build = speaker.build;
      for (const former of formerOf(draft)) leave(former, effects);
      return;
    default:
      word satisfies never;
  }
}

function stop(draft: Draft, effects: Effect[]): void {
  draft.stopping = true;
  draft.isDue = false;
  for (const { id, stage } of draft.primaries) {
    if (stage === 'beside' || stage === 'prepared') effects.push({ type: 'kill', id });
    else tell(effects, id, { type: 'stop' });
  }
}

function gone(draft: Draft, { id, isLast = false }: Extract<Event, { type: 'gone' }>, effects: Effect[]): void {
  const left = draft.primaries.find((each) => each.id === id);
  if (left === undefined) return;
  draft.primaries = draft.primaries.filter((each) => each !== left);
  if (isLast && !draft.stopping) stop(draft, effects);
  const owner = ownerOf(draft);
  const successor = successorOf(draft);
  if (draft.stopping) return;
  if (owner !== undefined) {
    if (left.stage === 'beside' || left.stage === 'prepared') tell(effects, owner.id, { type: 'successor-failed' });
    else tell(effects, owner.id, { type: 'former-gone', former: id });
  } else if (successor === undefined) want(draft, effects);
  // It has booted already, or is about to: nobody is sooner there.
  else if (successor.stage === 'prepared') take(draft, successor, effects);
}

function due(draft: Draft, effects: Effect[]): void {
  if (!draft.isDue) return;
  draft.isDue = false;
  start(draft, draft.build, true, effects);
}

/** The owner has died and there is nobody to take over. */
function want(draft: Draft, effects: Effect[]): void {
  if (draft.isDue) return;
  draft.isDue = true;
  effects.push({ type: 'wait' });
}

function start(draft: Draft, build: Build, alone: boolean, effects: Effect[]): void {
  const id = ++draft.started;
  draft.primaries.push({ id, build, stage: alone ? 'taking' : 'beside' });
  effects.push({ type: 'start', id, build, alone, former: formerOf(draft).map((former) => former.id) });
}

function take(draft: Draft, successor: Mutable<Primary>, effects: Effect[]): void {
  move(successor, 'taking');
  tell(effects, successor.id, { type: 'take', former: formerOf(draft).map(({ id }) => id) });
}

function leave(former: Mutable<Primary>, effects: Effect[]): void {
  if (former.stage === 'leaving') return;
  move(former, 'leaving');
  tell(effects, former.id, { type: 'leave' });
}

function tell(effects: Effect[], id: number, order: Order): void {
  effects.push({ type: 'tell', id, order });
}

function move(primary: Mutable<Primary>, to: PrimaryStage): void {
  checkMove<PrimaryStage>(primaryMoves, `primary ${primary.id}`, primary.stage, to);
  primary.stage = to;
}
