/**
 * Which process runs in which slot: the one pure function behind start, reload, scale, restart and stop.
 *
 * An event changes what is known or wanted; `reconcile` then moves each slot one step towards the wanted state. So
 * orders may arrive in any order and at the same time. The rules:
 * - Stop wins over everything: a reload or scale in progress fails with `stopping`, and nothing is forked any more.
 * - The last scale wins; all callers of a scale get the outcome of the last. A scale may come during a reload.
 * - A reload requested during a reload makes one more pass if a worker may already run code older than the request.
 * - A reload that takes back a failed one (`from`) replaces only the workers that the failed one has forked.
 * - A crash restarts its slot whatever else is in progress. A replacement that fails to boot ends the reload, and a new
 *   slot that fails to boot takes the scale back; workers that serve go on serving.
 * - A pinned worker (its exclusive run is in progress) is stopped only by the stop of the cluster.
 */
import { QuiesceError } from '../../../errors.ts';
import type { Mutable } from '../../../moves.ts';
import {
  bootTries,
  ending,
  isHurried,
  type Draft,
  type DraftSlot,
  type Effect,
  type Fleet,
  type FleetEvent,
  type FleetSettings,
  type Incarnation,
} from './state.ts';
import type { ExitCause } from '../../../protocol/api/runs.ts';
import type { WorkerRef } from '../../ports.ts';
import { reconcile } from './reconcile.ts';
import { decideMemory } from './memory-policy.ts';
import { decideRestart } from './restart-policy.ts';
import { refOf } from '../../worker-ref.ts';

/**
 * One step. `now` in ms on a monotonic clock; `random` in [0, 1) spreads restarts. Effects must be run in their order.
 * A stale event (of a worker that is gone) changes nothing.
 */
export function step(
  fleet: Fleet,
  event: FleetEvent,
  now: number,
  settings: FleetSettings,
  random: () => number,
): { fleet: Fleet; effects: Effect[] } {
  const draft: Draft = {
    ...fleet,
    lastIncarnations: [...fleet.lastIncarnations],
    slots: fleet.slots.map((slot) => ({ ...slot, incarnations: slot.incarnations.map((each) => ({ ...each })) })),
  };
  const effects: Effect[] = [];
  apply(draft, event, now, settings, random, effects);
  reconcile(draft, now, settings, effects);
  return { fleet: draft, effects };
}

function apply(
  draft: Draft,
  event: FleetEvent,
  now: number,
  settings: FleetSettings,
  random: () => number,
  effects: Effect[],
): void {
  switch (event.type) {
    case 'start':
    case 'tick':
      return;
    case 'ready': {
      const found = find(draft, event.ref);
      if (found?.incarnation.stage !== 'starting' || found.incarnation.killed) return;
      found.incarnation.stage = 'serving';
      found.incarnation.readyAt = now;
      found.slot.everReady = true;
      found.slot.bootFailures = 0;
      return;
    }
    case 'gone':
      return gone(draft, event, now, settings, random, effects);
    case 'reload':
      return reload(draft, event.from ?? 0, effects);
    case 'scale':
      if (ending(draft)) return void effects.push({ type: 'settle', task: 'scale', error: stopping() });
      if (event.target === draft.target && draft.scale === null)
        return void effects.push({ type: 'settle', task: 'scale' });
      draft.scale = { from: draft.scale?.from ?? draft.target };
      draft.target = event.target;
      return;
    case 'retire':
      return retire(draft, event, now, effects);
    case 'kill': {
      const found = find(draft, event.ref);
      if (!found || found.incarnation.killed) return;
      found.incarnation.ending = event.cause;
      found.incarnation.killed = true;
      effects.push({ type: 'kill', ref: refOf(found.incarnation), why: event.why });
      return;
    }
    case 'pin': {
      const found = find(draft, event.ref);
      if (!found) return;
      found.incarnation.pinned = event.pinned;
      // Its time to finish, for example to send the answer of its run, starts when the run has ended.
      if (!event.pinned && found.incarnation.killAt !== null && !ending(draft))
        found.incarnation.killAt = now + settings.killTimeout;
      return;
    }
    case 'answering': {
      const each = find(draft, event.ref)?.incarnation;
      if (!each || each.killAt === null || each.answering === event.answering || isHurried(draft)) return;
      each.answering = event.answering;
      // What remains after the last request, such as a clean-up, has the time of any worker that stops.
      each.killAt = event.answering
        ? each.killAt + settings.answerTimeout - settings.killTimeout
        : Math.min(each.killAt, now + settings.killTimeout);
      return;
    }
    case 'stop':
      return stop(draft, event, now + settings.killTimeout, effects);
  }
}

function retire(draft: Draft, event: Extract<FleetEvent, { type: 'retire' }>, now: number, effects: Effect[]): void {
  const found = find(draft, event.ref);
  if (found?.incarnation.stage !== 'serving' || found.incarnation.retire !== null) return;
  const { slot, incarnation } = found;
  incarnation.largeSince ??= now;
  const decision = decideMemory(slot.memory, incarnation.largeSince - (incarnation.readyAt ?? now), now);
  if (decision === null) return;
  slot.memory = decision.record;
  slot.restarts++;
  incarnation.retire = event.cause;
  effects.push({ type: 'retired', ref: event.ref, why: `${event.why}${decision.remark}` });
}

function reload(draft: Draft, from: number, effects: Effect[]): void {
  if (ending(draft)) return void effects.push({ type: 'settle', task: 'reload', error: stopping() });
  // Workers of the current generation were forked before this request, and may run older code than the request means.
  const begun = draft.slots.some((slot) => slot.incarnations.some((each) => each.generation === draft.generation));
  if (begun) draft.generation++;
  draft.spared = draft.reload === null ? from : Math.min(draft.spared, from);
  draft.reload = draft.generation;
  for (const slot of draft.slots) slot.retryAt = null;
}

/** @param latest when a worker that still answers has to be gone, unless the stop is patient */
function stop(
  draft: Draft,
  { now, patient = false }: Extract<FleetEvent, { type: 'stop' }>,
  latest: number,
  effects: Effect[],
): void {
  if (draft.phase === 'stopped') return void effects.push({ type: 'settle', task: 'stop' });
  if (draft.phase === 'booting') effects.push({ type: 'settle', task: 'start', error: stopping() });
  if (draft.reload !== null) effects.push({ type: 'settle', task: 'reload', error: stopping() });
  draft.reload = null;
  failScale(draft, stopping(), effects);
  draft.patient = patient && !isHurried(draft);
  if (draft.phase !== 'halting') draft.phase = 'stopping';
  if (!draft.patient) hurry(draft, latest);
  if (!now) return;
  for (const slot of draft.slots) {
    for (const each of slot.incarnations) {
      if (each.killed) continue;
      each.stage = 'stopping';
      each.ending ??= 'planned';
      each.killed = true;
      effects.push({ type: 'kill', ref: refOf(each), why: 'the cluster is to stop at once' });
    }
  }
}

/** Whoever still answers has the time of any other worker. */
function hurry(draft: Draft, latest: number): void {
  for (const each of draft.slots.flatMap((slot) => slot.incarnations)) {
    if (each.answering) each.killAt = Math.min(each.killAt ?? latest, latest);
    each.answering = false;
  }
}

function gone(
  draft: Draft,
  event: Extract<FleetEvent, { type: 'gone' }>,
  now: number,
  settings: FleetSettings,
  random: () => number,
  effects: Effect[],
): void {
  const found = find(draft, event.ref);
  if (!found) return;
  const { slot, incarnation } = found;
  slot.incarnations = slot.incarnations.filter((each) => each !== incarnation);
  const cause = causeOf(incarnation, event.exit.code);
  const exit = { ...event.exit, cause };
  effects.push({ type: 'ended', ref: refOf(incarnation), exit });
  if (cause !== 'planned') slot.lastExit = { ...exit, incarnation: incarnation.incarnation, at: now };
  if (incarnation.stage === 'stopping' || ending(draft) || slot.slot >= draft.target) return;

  slot.restarts++;
  const uptime = incarnation.readyAt === null ? 0 : now - incarnation.readyAt;
  const decision = decideRestart(slot.record, { cause, uptime }, settings.restart, now, random());
  slot.record = decision.record;
  if (cause === 'boot-failure') bootFailed(draft, slot, incarnation, event, effects);
  else if (cause === 'crash' && uptime < settings.restart.minUptime) {
    // It reported ready and was not: for a waiting task the same as a worker that cannot boot.
    const what = `ended ${Math.round(uptime)} ms after it was ready`;
    const error = failure('boot-failed', incarnation, what, event.exit);
    failReload(draft, incarnation, error, effects);
    takeScaleBack(draft, slot, error, effects);
  }
  const alone = slot.incarnations.every((each) => each.stage === 'stopping');
  if (decision.delay === 0 || ending(draft) || (alone && slot.slot >= draft.target)) return;
  slot.retryAt = now + decision.delay;
  effects.push({ type: 'backoff', slot: slot.slot, delay: decision.delay, looping: decision.record.looping });
}

function bootFailed(
  draft: Draft,
  slot: DraftSlot,
  incarnation: Incarnation,
  event: Extract<FleetEvent, { type: 'gone' }>,
  effects: Effect[],
): void {
  slot.bootFailures++;
  const code = event.portInUse === true ? 'port-in-use' : 'boot-failed';
  const error = failure(code, incarnation, 'could not boot', event.exit);
  failReload(draft, incarnation, error, effects);
  takeScaleBack(draft, slot, error, effects);
  if (draft.phase !== 'booting' || draft.slots.some((each) => each.everReady)) return;
  const wanted = draft.slots.filter((each) => each.slot < draft.target);
  const failures = wanted.reduce((sum, each) => sum + each.bootFailures, 0);
  const isHopeless = failures >= bootTries && wanted.every((each) => each.bootFailures > 0);
  // The other workers would request the same port.
  if (code !== 'port-in-use' && !isHopeless) return;
  draft.phase = 'halting';
  draft.haltReason = error;
  failScale(draft, error, effects);
  if (draft.reload !== null) effects.push({ type: 'settle', task: 'reload', error });
  draft.reload = null;
}

function failReload(draft: Draft, incarnation: Incarnation, error: QuiesceError, effects: Effect[]): void {
  if (draft.reload === null || incarnation.generation < draft.reload) return;
  draft.reload = null;
  effects.push({ type: 'settle', task: 'reload', error });
}

/** Called when a slot that the scale adds has no serving worker. */
function takeScaleBack(draft: Draft, slot: DraftSlot, error: QuiesceError, effects: Effect[]): void {
  if (draft.scale === null || slot.slot < draft.scale.from) return;
  draft.target = draft.scale.from;
  failScale(draft, error, effects);
}

function failScale(draft: Draft, error: QuiesceError, effects: Effect[]): void {
  if (draft.scale === null) return;
  draft.scale = null;
  effects.push({ type: 'settle', task: 'scale', error });
}

export function failure(
  code: 'boot-failed' | 'port-in-use',
  { slot, incarnation }: WorkerRef,
  what: string,
  exit: { reason?: string; code: number | null; signal: string | null },
): QuiesceError {
  const reason = exit.reason ?? `it ended with ${exit.signal ?? `code ${exit.code}`}`;
  const advice = code === 'port-in-use' ? '. Another process listens there: stop it, or choose another port.' : '';
  return new QuiesceError(code, `Worker ${slot}.${incarnation} ${what}: ${reason}${advice}`);
}

/** The primary's own action comes first, then what the worker was doing when it ended by itself. */
function causeOf(incarnation: Incarnation, code: number | null): ExitCause {
  if (incarnation.ending !== null) return incarnation.ending;
  if (incarnation.readyAt === null) return 'boot-failure';
  return code === 0 ? 'planned' : 'crash';
}

function stopping(): QuiesceError {
  return new QuiesceError('stopping', 'The cluster is stopping. Start it again to change it.');
}

function find(draft: Draft, ref: WorkerRef): { slot: DraftSlot; incarnation: Mutable<Incarnation> } | undefined {
  const slot = draft.slots.find((each) => each.slot === ref.slot);
  const incarnation = slot?.incarnations.find((each) => each.incarnation === ref.incarnation);
  return slot && incarnation && { slot, incarnation };
}
