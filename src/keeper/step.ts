/** What a keeper does about the ends of primaries and about signals: one pure function. */
import { exitCodes } from '../errors.ts';
import { checkMove } from '../moves.ts';
import { newApp, stageMoves } from './state.ts';
import type { App, Effect, Event, Gone, Keeper, Mutable, Stage } from './state.ts';

type Draft = Mutable<Omit<Keeper, 'apps'>> & { apps: Mutable<App>[] };

/** So many primaries in a row are started at once. */
const atOnce = 4;
const firstDelay = 1_000;
const longestDelay = 60_000;

/** How long the next primary waits, ms, after so many in a row that did not serve for long. */
export function restartDelay(failures: number): number {
  return failures <= atOnce ? 0 : Math.min(longestDelay, firstDelay * 2 ** (failures - atOnce - 1));
}

/** `now` in ms on a monotonic clock. Effects are to be run in their order. */
export function step(keeper: Keeper, event: Event, now: number): { keeper: Keeper; effects: Effect[] } {
  const draft: Draft = { ...keeper, apps: keeper.apps.map((app) => ({ ...app })) };
  const effects: Effect[] = [];
  apply(draft, event, now, effects);
  return { keeper: draft, effects };
}

/** When the next `tick` is due; null where none is. */
export function nextTick({ apps }: Keeper): number | null {
  const due = apps.flatMap(({ retryAt }) => retryAt ?? []);
  return due.length === 0 ? null : Math.min(...due);
}

function apply(draft: Draft, event: Event, now: number, effects: Effect[]): void {
  switch (event.type) {
    case 'begin':
      for (const index of draft.apps.keys()) start(draft, index, effects);
      return;
    case 'apps':
      // The process that has found them is about to end, and nothing is started after a stop.
      if (draft.stopping) return;
      // Counted on, so that the end of the process that has found them is the end of none of them.
      draft.apps = event.names.map((name) => ({ ...newApp(name), process: draft.apps[0]!.process }));
      for (const index of draft.apps.keys()) start(draft, index, effects);
      return;
    case 'ready': {
      const app = draft.apps[event.app];
      if (app?.process !== event.process || app.stage !== 'starting') return;
      const isNews = !draft.apps.every(({ hasServed }) => hasServed);
      move(app, 'serving');
      app.hasServed = true;
      app.readyAt = now;
      if (isNews && draft.apps.every(({ hasServed }) => hasServed)) effects.push({ type: 'ready' });
      return;
    }
    case 'gone': {
      const app = draft.apps[event.app];
      if (app?.process !== event.process || (app.stage !== 'starting' && app.stage !== 'serving')) return;
      return gone(draft, event.app, event.how, now, effects);
    }
    case 'signal':
      if (event.signal === 'SIGINT' || event.signal === 'SIGTERM') return stop(draft, event.signal, effects);
      return tell(draft, event.signal, effects);
    case 'tick':
      for (const [index, app] of draft.apps.entries()) {
        if (app.retryAt === null || app.retryAt > now) continue;
        app.retryAt = null;
        move(app, 'starting');
        start(draft, index, effects);
      }
      return;
    default:
      event satisfies never;
  }
}

function start(draft: Draft, index: number, effects: Effect[]): void {
  const app = draft.apps[index]!;
  app.process += 1;
  effects.push({ type: 'start', app: index, process: app.process, again: app.hasServed });
}

function gone(draft: Draft, index: number, how: Gone, now: number, effects: Effect[]): void {
  const app = draft.apps[index]!;
  const words = how.signal ?? `exit code ${how.code}`;
  if (draft.stopping || isEnd(draft, app, how)) {
    const isBad = how.code !== 0;
    if (isBad && draft.end.code === 0)
      draft.end = { code: how.code ?? exitCodes.failed, signal: isAlone(draft) ? how.signal : null };
    over(draft, index, effects);
    if (!isBad || draft.stopping || isAlone(draft)) return;
    effects.push({ type: 'say', text: `${app.name} did not start (${words}); the others are stopped.` });
    return stop(draft, 'SIGTERM', effects);
  }
  const servedFor = app.stage === 'serving' ? now - app.readyAt : 0;
  app.failures = servedFor > longestDelay ? 1 : app.failures + 1;
  const delay = restartDelay(app.failures);
  const when = delay === 0 ? 'at once' : `in ${delay / 1000} s`;
  effects.push({ type: 'say', text: `the primary of ${app.name} ended with ${words} and is started again ${when}.` });
  move(app, 'waiting');
  app.retryAt = now + delay;
  // It could not start, and said so: nobody is to wait for it.
  if (how.meant) effects.push({ type: 'close', app: index });
}

/** Whether the end of a primary is the end of its app. */
function isEnd({ apps }: Draft, app: App, { code, meant }: Gone): boolean {
  if (!meant) return !app.hasServed;
  if (code === 0 || !apps.every(({ hasServed }) => hasServed)) return true;
  // Alone it ends as it would without a keeper, to be seen by whoever has started it. What has begun to serve
  // somewhere else is never tried again.
  return isAlone({ apps }) && (app.stage === 'serving' || code === exitCodes.alreadyRunning);
}

function isAlone({ apps }: Pick<Draft, 'apps'>): boolean {
  return apps.length === 1;
}

function stop(draft: Draft, signal: string, effects: Effect[]): void {
  draft.stopping = true;
  tell(draft, signal, effects);
  for (const [index, { stage }] of draft.apps.entries()) if (stage === 'waiting') over(draft, index, effects);
}

function tell(draft: Draft, signal: string, effects: Effect[]): void {
  for (const [app, { stage }] of draft.apps.entries())
    if (stage === 'starting' || stage === 'serving') effects.push({ type: 'signal', app, signal });
}

function over(draft: Draft, index: number, effects: Effect[]): void {
  const app = draft.apps[index]!;
  move(app, 'over');
  app.retryAt = null;
  effects.push({ type: 'close', app: index });
  if (draft.apps.every(({ stage }) => stage === 'over')) effects.push({ type: 'end', end: draft.end });
}

function move(app: Mutable<App>, to: Stage): void {
  checkMove<Stage>(stageMoves, app.name, app.stage, to);
  app.stage = to;
}
