/**
 * How the keeper replaces the primary of an app while the site serves, as one pure function. Primaries send a `Word`;
 * the keeper answers with an `Order`.
 *
 * The stages of a primary, as its keeper sees them:
 *
 *   beside    boots beside the owner: loads everything, forks workers that do not listen yet, and writes nothing.
 *   prepared  can take over at once.
 *   taking    was told to take over: from now on only it writes to the data directory. A primary without an owner beside
 *             it starts here.
 *   serving   its workers serve.
 *   yielded   has given up the data directory, durably. Its workers still serve; no hold and no run changes.
 *   leaving   its successor serves: it finishes the requests in flight, with `Connection: close`, and ends.
 *   (gone)    can follow any stage.
 *
 * The owner is the primary that is taking or serving; there may be none. No primary is told to take over before the
 * owner has yielded or has gone, so there are never two owners. The primary that takes over is told which former
 * primaries are still there. It counts them as one busy worker until they have gone, so that a pause waits for their
 * last handler.
 */
import { checkMove, type Mutable } from '../moves.ts';
import type { Build } from '../protocol/keeper/messages.ts';

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
  /** In the order in which they were started. */
  readonly primaries: readonly Primary[];
  readonly started: number;
  /** The build of the last primary that has served. It is started again when a primary dies. */
  readonly build: Build;
  /** The next primary waits until it may be started. */
  readonly isDue: boolean;
  readonly stopping: boolean;
}

/** What a primary tells its keeper. */
export type Word =
  /** From the owner: replace me by a primary of this build. */
  | { readonly type: 'replace'; readonly build: Build }
  /** From the owner: give up the replacement, because of a stop or because its caller has left. */
  | { readonly type: 'stay' }
  /** From a primary beside the owner: it can take over at once. */
  | { readonly type: 'prepared' }
  /**
   * From the owner, as the answer to `successor-prepared`: everything is on the disk, and it will write nothing more.
   */
  | { readonly type: 'yielded' }
  | { readonly type: 'serving' };

export type Event =
  | { readonly type: 'said'; readonly id: number; readonly word: Word }
  /** `isLast`: the site ends with this primary. */
  | { readonly type: 'gone'; readonly id: number; readonly isLast?: boolean }
  /** The next primary may be started now: the first one, or one after a death. */
  | { readonly type: 'due' }
  | { readonly type: 'stop' };

/** What the keeper tells a primary. */
export type Order =
  | { readonly type: 'successor-prepared' }
  | { readonly type: 'successor-failed' }
  /** No replacement now: another one is not finished. */
  | { readonly type: 'refused' }
  /**
   * Take over lock, hold, epoch, journal and history, listen, and open. `former`: primaries that may still run
   * handlers.
   */
  | { readonly type: 'take'; readonly former: readonly number[] }
  | { readonly type: 'former-gone'; readonly former: number }
  | { readonly type: 'leave' }
  | { readonly type: 'stop' };

export type Effect =
  /** `alone`: it takes over at once, as there is no owner; else it boots beside the owner. */
  | {
      readonly type: 'start';
      readonly id: number;
      readonly build: Build;
      readonly alone: boolean;
      readonly former: readonly number[];
    }
  | { readonly type: 'tell'; readonly id: number; readonly order: Order }
  | { readonly type: 'kill'; readonly id: number }
  /** Send `due` as soon as the restart policy allows it. */
  | { readonly type: 'wait' };

type Draft = Mutable<Omit<Site, 'primaries'>> & { primaries: Mutable<Primary>[] };

/** @param started how many primaries were started before, for ids that are not used twice */
export function newSite(build: Build, started = 0): Site {
  return { primaries: [], started, build, isDue: true, stopping: false };
}

export function ownerOf<T extends Primary>({ primaries }: { readonly primaries: readonly T[] }): T | undefined {
  return primaries.find(({ stage }) => stage === 'taking' || stage === 'serving');
}

function successorOf({ primaries }: Draft): Mutable<Primary> | undefined {
  return primaries.find(({ stage }) => stage === 'beside' || stage === 'prepared');
}

/** The former primaries whose handlers may still run beside the owner's. */
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
      // One replacement at a time: it starts only after every former primary has gone.
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
  // A successor that has booted, or is booting, is ready sooner than a new process.
  else if (successor.stage === 'prepared') take(draft, successor, effects);
}

function due(draft: Draft, effects: Effect[]): void {
  if (!draft.isDue) return;
  draft.isDue = false;
  start(draft, draft.build, true, effects);
}

/** The owner has gone and no successor is there: asks for the start of the next primary. */
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
