/** How the keeper reacts to primaries' messages and ends and to signals, as one pure function. */
import { exitCodes } from '../errors.ts';
import { checkMove, type Mutable } from '../moves.ts';
import { newSite, ownerOf, step as stepSite, type Effect as SiteEffect, type Event as SiteEvent } from './handover.ts';
import { lookEvery, newApp, stageMoves } from './state.ts';
import type { App, Effect, Event, Gone, Keeper, Stage } from './state.ts';

type Draft = Mutable<Omit<Keeper, 'apps'>> & { apps: Mutable<App>[] };

/** How many failed primaries in a row are replaced without delay. */
const atOnce = 4;
const firstDelay = 1_000;
const longestDelay = 60_000;
/** How many checks without a message a primary may have before it is killed. */
const mostSilent = 6;

/**
 * The delay before the next primary starts, ms.
 *
 * @param failures how many in a row served only briefly, or not at all
 */
export function restartDelay(failures: number): number {
  return failures <= atOnce ? 0 : Math.min(longestDelay, firstDelay * 2 ** (failures - atOnce - 1));
}

/** @param now ms on a monotonic clock @returns the new state, and the effects to run in their order */
export function step(keeper: Keeper, event: Event, now: number): { keeper: Keeper; effects: Effect[] } {
  const draft: Draft = { ...keeper, apps: keeper.apps.map((app) => ({ ...app })) };
  const effects: Effect[] = [];
  apply(draft, event, { now, effects });
  return { keeper: draft, effects };
}

/** When the next `tick` is due, ms on the same clock; null if none is. */
export function nextTick({ apps }: Keeper): number | null {
  const due = apps.flatMap(({ retryAt }) => retryAt ?? []);
  return due.length === 0 ? null : Math.min(...due);
}

interface Context {
  readonly now: number;
  readonly effects: Effect[];
  /** With an event `gone`: how the primary ended. */
  readonly how?: Gone;
  /** With a stop: the signal that asked for it. */
  readonly signal?: string;
}

function apply(draft: Draft, event: Event, context: Context): void {
  const { now, effects } = context;
  switch (event.type) {
    case 'begin':
      for (const index of draft.apps.keys()) turn(draft, index, { type: 'due' }, context);
      return;
    case 'apps': {
      // Nothing is started after a stop. The process that has read the file ends by itself.
      if (draft.stopping) return;
      // Ids continue, so that the end of the process that has read the file is not taken for the end of an app.
      const { build, started } = draft.apps[0]!.site;
      draft.apps = event.names.map((name) => newApp(name, newSite(build, started)));
      for (const index of draft.apps.keys()) turn(draft, index, { type: 'due' }, context);
      return;
    }
    case 'said': {
      const app = draft.apps[event.app];
      if (app === undefined) return;
      const before = app.stage;
      turn(draft, event.app, { type: 'said', id: event.process, word: event.word }, context);
      if (before === 'starting' && app.stage === 'serving') served(draft, app, context);
      return;
    }
    case 'gone':
      return gone(draft, event.app, event.process, { ...context, how: event.how });
    case 'signal':
      if (event.signal === 'SIGINT' || event.signal === 'SIGTERM')
        return stop(draft, { ...context, signal: event.signal });
      for (const [app, { site }] of draft.apps.entries()) {
        const owner = ownerOf(site);
        if (owner !== undefined) effects.push({ type: 'signal', app, process: owner.id, signal: event.signal });
      }
      return;
    case 'heard': {
      const app = draft.apps[event.app];
      if (app?.site.primaries.some(({ id }) => id === event.process) === true)
        app.silence = new Map(app.silence).set(event.process, 0);
      return;
    }
    case 'look':
      for (const [index, app] of draft.apps.entries()) look(app, index, effects);
      return;
    case 'tick':
      for (const [index, app] of draft.apps.entries()) {
        if (app.retryAt === null || app.retryAt > now) continue;
        app.retryAt = null;
        turn(draft, index, { type: 'due' }, context);
      }
      return;
    default:
      event satisfies never;
  }
}

/** Counts checks, not time, so that no primary is killed because the machine slept. */
function look(app: Mutable<App>, index: number, effects: Effect[]): void {
  const isThere = (id: number): boolean => app.site.primaries.some((each) => each.id === id);
  const heard = [...app.silence].filter(([id]) => isThere(id));
  app.silence = new Map(heard.map(([id, checks]) => [id, checks + 1]));
  for (const [id, checks] of app.silence) {
    if (checks <= mostSilent) continue;
    const seconds = (mostSilent * lookEvery) / 1000;
    effects.push({ type: 'say', text: `the primary of ${app.name} has not responded for ${seconds} s and is killed.` });
    effects.push({ type: 'signal', app: index, process: id, signal: 'SIGKILL' });
  }
}

/** Applies an event to the primaries of an app, translates the effects, and updates the stage of the app. */
function turn(draft: Draft, index: number, event: SiteEvent, context: Context): void {
  const app = draft.apps[index]!;
  const { site, effects } = stepSite(app.site, event);
  app.site = site;
  for (const effect of effects) carryOver(app, index, effect, context);
  const stage = stageOf(app);
  if (stage === app.stage) return;
  checkMove<Stage>(stageMoves, app.name, app.stage, stage);
  app.stage = stage;
  if (stage === 'over') over(draft, index, context.effects);
}

function stageOf({ site, retryAt }: App): Stage {
  if (site.stopping) return site.primaries.length === 0 ? 'over' : 'ending';
  if (retryAt !== null) return 'waiting';
  return ownerOf(site)?.stage === 'serving' ? 'serving' : 'starting';
}

function carryOver(app: Mutable<App>, index: number, effect: SiteEffect, context: Context): void {
  const { effects, how, signal = 'SIGTERM' } = context;
  switch (effect.type) {
    case 'start': {
      const { id, build, alone, former } = effect;
      effects.push({ type: 'start', app: index, process: id, build, again: app.hasServed, beside: !alone, former });
      return;
    }
    case 'tell': {
      const { id, order } = effect;
      if (order.type === 'stop') effects.push({ type: 'signal', app: index, process: id, signal });
      else {
        const why = order.type === 'successor-failed' && how !== undefined ? { how } : {};
        effects.push({ type: 'tell', app: index, process: id, order, ...why });
      }
      return;
    }
    case 'kill':
      return void effects.push({ type: 'signal', app: index, process: effect.id, signal: 'SIGKILL' });
    case 'wait':
      return wait(app, context);
    default:
      effect satisfies never;
  }
}

function wait(app: Mutable<App>, { now, effects, how }: Context): void {
  const servedFor = app.stage === 'serving' ? now - app.readyAt : 0;
  app.failures = servedFor > longestDelay ? 1 : app.failures + 1;
  const delay = restartDelay(app.failures);
  app.retryAt = now + delay;
  const when = delay === 0 ? 'at once' : `in ${delay / 1000} s`;
  const what =
    how === undefined
      ? `has yielded to a successor that has ended; a new one is started ${when}.`
      : `ended with ${wordsOf(how)} and is started again ${when}.`;
  effects.push({ type: 'say', text: `the primary of ${app.name} ${what}` });
}

export function wordsOf({ signal, code }: Gone): string {
  return signal ?? `exit code ${code}`;
}

function served(draft: Draft, app: Mutable<App>, { now, effects }: Context): void {
  const isNews = !draft.apps.every(({ hasServed }) => hasServed);
  app.hasServed = true;
  app.readyAt = now;
  if (isNews && draft.apps.every(({ hasServed }) => hasServed)) effects.push({ type: 'ready' });
}

function gone(draft: Draft, index: number, id: number, context: Context & { readonly how: Gone }): void {
  const app = draft.apps[index];
  const { how, effects } = context;
  if (app?.site.primaries.some((each) => each.id === id) !== true) return;
  const isOwner = ownerOf(app.site)?.id === id;
  const isLast = isOwner && (draft.stopping || app.site.stopping || isEnd(draft, app, how));
  const isBad = how.code !== 0;
  if (isLast && isBad && draft.end.code === 0)
    draft.end = { code: how.code ?? exitCodes.failed, signal: isAlone(draft) ? how.signal : null };
  turn(draft, index, { type: 'gone', id, isLast }, context);
  const { stage, site } = app;
  // Close the sockets if clients would wait in vain: the owner reported that it could not start, or the app ends and
  // its former primaries only finish requests. The end of a former primary says nothing about the next owner.
  if (isOwner) app.couldNotStart = how.meant;
  const isRefusing = app.couldNotStart && site.primaries.length === 0;
  const isClosed = stage === 'waiting' ? isRefusing : stage === 'ending' && isOwner;
  if (isClosed) effects.push({ type: 'close', app: index });
  if (!isLast || !isBad || draft.stopping || isAlone(draft)) return;
  effects.push({ type: 'say', text: `${app.name} did not start (${wordsOf(how)}); the others are stopped.` });
  stop(draft, context);
}

/** Whether the app ends with its owner. */
function isEnd({ apps }: Draft, app: App, { code, meant }: Gone): boolean {
  if (!meant) return !app.hasServed;
  if (code === 0 || !apps.every(({ hasServed }) => hasServed)) return true;
  // A single app ends as it would without a keeper, so that its service manager sees it. If another primary holds the
  // lock, a new one would fail in the same way.
  return isAlone({ apps }) && (app.stage === 'serving' || code === exitCodes.alreadyRunning);
}

function isAlone({ apps }: Pick<Draft, 'apps'>): boolean {
  return apps.length === 1;
}

function stop(draft: Draft, context: Context): void {
  draft.stopping = true;
  for (const [index, app] of draft.apps.entries()) {
    app.retryAt = null;
    if (app.stage !== 'over') turn(draft, index, { type: 'stop' }, context);
  }
}

function over(draft: Draft, index: number, effects: Effect[]): void {
  effects.push({ type: 'close', app: index });
  if (draft.apps.every(({ stage }) => stage === 'over')) effects.push({ type: 'end', end: draft.end });
}
