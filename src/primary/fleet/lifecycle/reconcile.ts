/**
 * Moves each slot one step towards the wanted state, then settles the tasks that are done. Pure, but changes the draft.
 */
import { QuiesceError } from '../../../errors.ts';
import type { Mutable } from '../../../moves.ts';
import {
  bootTries,
  ending,
  isHurried,
  newSlot,
  type Draft,
  type DraftSlot,
  type Effect,
  type Fleet,
  type FleetSettings,
  type Incarnation,
} from './state.ts';
import type { ExitCause } from '../../../protocol/api/runs.ts';
import { refOf } from '../../worker-ref.ts';

export function reconcile(draft: Draft, now: number, settings: FleetSettings, effects: Effect[]): void {
  if (!ending(draft)) {
    for (let slot = 0; slot < draft.target; slot++) {
      if (!draft.slots.some((each) => each.slot === slot)) draft.slots.push(newSlot(slot));
    }
    draft.slots.sort((a, b) => a.slot - b.slot);
  }
  const wanted = (slot: DraftSlot): boolean => !ending(draft) && slot.slot < draft.target;
  for (const slot of draft.slots) {
    watchClock(slot, draft, now, settings, effects);
    // A slot wants one serving worker, the newest. A killed worker that is not gone yet counts as none.
    const serves = (each: Incarnation): boolean => each.stage === 'serving' && !each.killed;
    const newest = wanted(slot) ? slot.incarnations.findLast(serves) : undefined;
    for (const each of slot.incarnations) {
      if (each === newest || each.killed || (wanted(slot) && each.stage === 'starting')) continue;
      end(each, each.retire ?? 'planned', draft, now, settings, effects);
    }
  }
  for (const slot of draft.slots) if (wanted(slot)) fill(draft, slot, now, effects);
  draft.slots = draft.slots.filter((slot) => slot.incarnations.length > 0 || wanted(slot));
  settle(draft, now, settings, effects);
}

/** Forks if the slot has no serving worker, or one that must be replaced. */
function fill(draft: Draft, slot: DraftSlot, now: number, effects: Effect[]): void {
  if (slot.incarnations.some((each) => each.stage === 'starting')) return;
  if (slot.retryAt !== null) return;
  const newest = slot.incarnations.findLast((each) => each.stage === 'serving');
  if (newest && newest.retire === null && !(outdated(draft, newest) && isTurn(draft))) return;
  const incarnation = (draft.lastIncarnations[slot.slot] ?? 0) + 1;
  draft.lastIncarnations[slot.slot] = incarnation;
  const ref = { slot: slot.slot, incarnation };
  slot.incarnations.push({
    ...ref,
    stage: 'starting',
    generation: draft.generation,
    forkedAt: now,
    readyAt: null,
    retire: null,
    largeSince: null,
    pinned: false,
    ending: null,
    killAt: null,
    answering: false,
    killed: false,
    slowNoted: false,
  });
  effects.push({ type: 'fork', ref });
}

function outdated({ reload, spared }: Pick<Fleet, 'reload' | 'spared'>, { generation }: Incarnation): boolean {
  return reload !== null && generation < reload && generation >= spared;
}

/**
 * A reload boots one replacement at a time, and goes on while at most a quarter of the workers are still finishing:
 * neither processors nor memory have to carry the cluster twice.
 */
function isTurn(draft: Draft): boolean {
  let leaving = 0;
  for (const slot of draft.slots) {
    const serves = slot.incarnations.some((each) => each.stage === 'serving');
    if (serves && slot.incarnations.some((each) => each.stage === 'starting')) return false;
    leaving += slot.incarnations.filter((each) => each.stage === 'stopping').length;
  }
  return leaving < Math.max(1, Math.ceil(draft.target / 4));
}

/** Its run may have started after it was told to stop, through a request on an open connection. */
function isKept(incarnation: Incarnation, fleet: Pick<Fleet, 'phase'>): boolean {
  return incarnation.pinned && !ending(fleet);
}

function end(
  incarnation: Mutable<Incarnation>,
  cause: ExitCause,
  draft: Draft,
  now: number,
  settings: FleetSettings,
  effects: Effect[],
): void {
  if (incarnation.stage === 'stopping' || isKept(incarnation, draft)) return;
  const served = incarnation.stage === 'serving';
  incarnation.stage = 'stopping';
  incarnation.ending ??= cause;
  if (served) {
    incarnation.killAt = now + settings.killTimeout;
    const { killTimeout: timeout, webSocketTimeout } = settings;
    const answerTimeout = isHurried(draft) ? timeout : settings.answerTimeout;
    effects.push({ type: 'stop', ref: refOf(incarnation), grace: { timeout, answerTimeout, webSocketTimeout } });
  } else {
    // It has no connections yet, and code that is still loading receives no message.
    incarnation.killed = true;
    effects.push({ type: 'kill', ref: refOf(incarnation), why: 'it is not needed any more' });
  }
}

function watchClock(slot: DraftSlot, draft: Draft, now: number, settings: FleetSettings, effects: Effect[]): void {
  if (slot.retryAt !== null && slot.retryAt <= now) slot.retryAt = null;
  for (const each of slot.incarnations) {
    if (each.killed) continue;
    if (each.stage === 'starting') {
      const age = now - each.forkedAt;
      if (age >= settings.bootLimit) {
        each.killed = true;
        effects.push({ type: 'kill', ref: refOf(each), why: `it was not ready after ${settings.bootLimit} ms` });
      } else if (age >= settings.slowBoot && !each.slowNoted) {
        each.slowNoted = true;
        effects.push({ type: 'slow', ref: refOf(each), after: settings.slowBoot });
      }
    } else if (each.killAt !== null && now >= each.killAt && !isKept(each, draft)) {
      each.killed = true;
      effects.push({
        type: 'kill',
        ref: refOf(each),
        why: each.answering
          ? `it still answered requests after ${settings.answerTimeout} ms, and kill_timeout is not set`
          : `it had not finished after ${settings.killTimeout} ms, its kill_timeout`,
        late: true,
      });
    }
  }
}

function settle(draft: Draft, now: number, settings: FleetSettings, effects: Effect[]): void {
  const serves = (slot: DraftSlot): boolean =>
    slot.incarnations.some((each) => each.stage === 'serving' && !each.killed);
  const proven = (slot: DraftSlot): boolean =>
    serves(slot) && slot.incarnations.every((each) => provenAt(each, settings) <= now);
  if (draft.phase === 'booting' && draft.slots.some((slot) => slot.everReady)) {
    // A slot that cannot boot does not keep the others from serving.
    const settled = (slot: DraftSlot): boolean =>
      slot.everReady || slot.bootFailures >= bootTries || slot.incarnations.some((each) => each.slowNoted);
    if (draft.slots.every(settled)) {
      draft.phase = 'running';
      effects.push({ type: 'settle', task: 'start' });
    }
  }
  if (draft.scale !== null && !ending(draft)) {
    const { from } = draft.scale;
    const reached = draft.slots.every((slot) => slot.slot < draft.target && (slot.slot < from || proven(slot)));
    if (reached) {
      draft.scale = null;
      effects.push({ type: 'settle', task: 'scale' });
    }
  }
  if (draft.reload !== null) {
    const done = draft.slots.every((slot) => proven(slot) && slot.incarnations.every((each) => !outdated(draft, each)));
    if (done) {
      draft.reload = null;
      effects.push({ type: 'settle', task: 'reload' });
    }
  }
  if ((draft.phase === 'stopping' || draft.phase === 'halting') && draft.slots.length === 0) {
    if (draft.phase === 'halting') {
      const error = draft.haltReason ?? new QuiesceError('boot-failed', 'No worker could boot.');
      effects.push({ type: 'settle', task: 'start', error });
    }
    draft.phase = 'stopped';
    effects.push({ type: 'settle', task: 'stop' });
  }
}

/** A task waits until a new worker has served for a moment: a worker that dies at once does not count as serving. */
function provenAt({ stage, readyAt }: Incarnation, { probation }: FleetSettings): number {
  return stage === 'serving' && readyAt !== null ? readyAt + probation : -Infinity;
}

/** The time of the next deadline, on the clock of `step`; null if there is none. */
export function nextDeadline(fleet: Fleet, settings: FleetSettings, now: number): number | null {
  let next = Infinity;
  for (const slot of fleet.slots) {
    if (slot.retryAt !== null) next = Math.min(next, slot.retryAt);
    for (const each of slot.incarnations) {
      if (each.killed) continue;
      const proven = fleet.scale === null && fleet.reload === null ? -Infinity : provenAt(each, settings);
      if (proven > now) next = Math.min(next, proven);
      if (each.killAt !== null && !isKept(each, fleet)) next = Math.min(next, each.killAt);
      if (each.stage === 'starting') {
        next = Math.min(
          next,
          each.forkedAt + (each.slowNoted ? settings.bootLimit : Math.min(settings.slowBoot, settings.bootLimit)),
        );
      }
    }
  }
  return next === Infinity ? null : next;
}
