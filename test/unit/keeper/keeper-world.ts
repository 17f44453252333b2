import type { Build } from '#quiesce/protocol/keeper/messages.js';
import type { Word } from '#quiesce/keeper/handover.js';
import { newKeeper, type Effect, type Event, type Gone, type Keeper } from '#quiesce/keeper/state.js';
import { nextTick, step } from '#quiesce/keeper/step.js';

export const build = (main: string): Build => ({ node: 'node', main, called: null, folder: null });
export const killed: Gone = { code: null, signal: 'SIGKILL', meant: false };
export const ended = (code: number): Gone => ({ code, signal: null, meant: true });

/** A keeper and what it has done. */
export class World {
  keeper: Keeper = newKeeper(build('1'));
  now = 0;
  effects: Effect[] = [];

  send(event: Event): Effect[] {
    const { keeper, effects } = step(this.keeper, event, this.now);
    this.keeper = keeper;
    this.effects.push(...effects);
    return effects;
  }

  /** The last primary of an app that was started. */
  last(app = 0): number {
    return this.keeper.apps[app]!.site.started;
  }

  said(word: Word, process = this.last(), app = 0): Effect[] {
    return this.send({ type: 'said', app, process, word });
  }

  ready(app = 0): Effect[] {
    return this.said({ type: 'serving' }, this.last(app), app);
  }

  gone(how: Gone, app = 0, process = this.last(app)): Effect[] {
    return this.send({ type: 'gone', app, process, how });
  }

  /** Lets time pass until something is due. */
  wait(): Effect[] {
    this.now = nextTick(this.keeper) ?? this.now;
    return this.send({ type: 'tick' });
  }
}

export function begun(names?: readonly string[]): World {
  const world = new World();
  world.send({ type: 'begin' });
  if (names !== undefined) world.send({ type: 'apps', names });
  return world;
}

export const typesOf = (effects: readonly Effect[]): string[] => effects.map(({ type }) => type);
