/** What the properties have to tell from the real thing: each breaks one promise. */
import type { Event, State } from '#quiesce/primary/maintenance/machine/state.js';
import type { Faults } from './model-parts.ts';
import { keyOf } from '#quiesce/primary/worker-ref.js';

export const mutants: Record<string, Faults> = {
  'an acknowledgement of an old epoch is accepted': {
    step: (real, state, event, now, rules) =>
      real(state, event.type === 'drained' ? { ...event, epoch: state.epoch } : event, now, rules),
  },
  'an acknowledgement of a former incarnation is accepted': {
    step: (real, state, event, now, rules) =>
      real(state, event.type === 'drained' ? { ...event, worker: newestOf(state, event) } : event, now, rules),
  },
  'a drain timeout is taken for drained': {
    step: (real, state, event, now, rules) =>
      event.type === 'timeout' && event.timer.kind === 'drain'
        ? real(allShut(state), { type: 'unhold' }, now, rules)
        : real(state, event, now, rules),
  },
  'a worker starts open': { startsOpen: true },
  'a resume while another hold stands': {
    step: (real, state, event, now, rules) =>
      real(
        event.type === 'finished' || event.type === 'release'
          ? { ...state, operator: null }
          : event.type === 'unhold'
            ? forgetHold(state)
            : state,
        event,
        now,
        rules,
      ),
  },
  'two runs are granted': {
    step: (real, state, event, now, rules) =>
      real(event.type === 'claim' || event.type === 'exec' ? { ...state, run: null } : state, event, now, rules),
  },
  'an old resume opens a gate': { believesOldResume: true },
  'a worker that greets during a pause is told to serve': {
    step: (real, state, event, now, rules) => {
      const next = real(state, event, now, rules);
      if (event.type !== 'hello' || next.state.phase === 'serving') return next;
      return { ...next, effects: [...next.effects, { type: 'resume', worker: event.worker, mirrored: [] }] };
    },
  },
  'the death of an owner is not noticed': {
    step: (real, state, event, now, rules) =>
      real(
        event.type === 'gone' && state.run !== null ? { ...state, run: { ...state.run, owner: null } } : state,
        event,
        now,
        rules,
      ),
  },
  'the gates open between two runs of an earlier primary': {
    step: (real, state, event, now, rules) => {
      const first = real({ ...state, unfinished: [] }, event, now, rules);
      if (state.unfinished.length === 0) return first;
      if (first.state.run !== null) return { ...first, state: { ...first.state, unfinished: state.unfinished } };
      const next = real(first.state, { type: 'recover', runs: state.unfinished }, now, rules);
      return { state: next.state, effects: [...first.effects, ...next.effects] };
    },
  },
  'a run of an earlier primary takes the place of another': {
    step: (real, state, event, now, rules) =>
      real(event.type === 'recover' ? { ...state, run: null, unfinished: [] } : state, event, now, rules),
  },
  'a run of an earlier primary is given up at a drain timeout': {
    step: (real, state, event, now, rules) =>
      real(
        event.type === 'timeout' && state.run !== null ? { ...state, run: { ...state.run, recovered: false } } : state,
        event,
        now,
        rules,
      ),
  },
  'a caller who gives up takes the hold of others with it': {
    step: (real, state, event, now, rules) =>
      real(state, event.type === 'give-up' ? { type: 'unhold' } : event, now, rules),
  },
  'the gates open before a hold that stays': {
    step: (real, state, event, now, rules) =>
      real(
        event.type === 'exec-end' && state.run?.exec
          ? { ...state, run: { ...state.run, exec: { ...state.run.exec, keepOnFailure: false } } }
          : state,
        event,
        now,
        rules,
      ),
  },
  'a drain does not wait for what the app stops': { stopsNothing: true },
  'a gate opens before those who listen have heard what has changed': { opensBeforeListeners: true },
  'a gate that waited for those who listen opens in the next pause': { opensLate: true },
  'what a run has changed is told once, and may be lost': {
    step: (real, state, event, now, rules) => {
      const next = real(state, event, now, rules);
      const workers = new Map(next.state.workers);
      for (const effect of next.effects) {
        const worker = effect.type === 'resume' ? workers.get(keyOf(effect.worker)) : undefined;
        if (worker) workers.set(keyOf(worker), { ...worker, mirrored: [] });
      }
      return { ...next, state: { ...next.state, workers } };
    },
  },
  'off leaves the hold that is to come': {
    step: (real, state, event, now, rules) => {
      const next = real(state, event, now, rules);
      return event.type === 'unhold' ? { ...next, state: { ...next.state, scheduled: state.scheduled } } : next;
    },
  },
  'a hold that ends takes the one that is to come with it': {
    step: (real, state, event, now, rules) =>
      real(
        state,
        event.type === 'give-up' || (event.type === 'timeout' && event.timer.kind === 'operator')
          ? { type: 'unhold' }
          : event,
        now,
        rules,
      ),
  },
  'what is scheduled is not written': {
    step: (real, state, event, now, rules) => {
      const next = real(state, event, now, rules);
      if (event.type !== 'schedule') return next;
      return { ...next, effects: next.effects.filter(({ type }) => type !== 'persist') };
    },
  },
  'a scheduled hold begins only where nobody holds': {
    step: (real, state, event, now, rules) =>
      event.type === 'timeout' && event.timer.kind === 'scheduled' && state.operator !== null
        ? real({ ...state, scheduled: null }, event, now, rules)
        : real(state, event, now, rules),
  },
  'timers never go off': {
    step: (real, state, event, now, rules) =>
      event.type === 'timeout' ? { state, effects: [] } : real(state, event, now, rules),
  },
};

function newestOf(state: State, event: Extract<Event, { type: 'drained' }>): { slot: number; incarnation: number } {
  const newest = [...state.workers.values()]
    .filter(({ slot }) => slot === event.worker.slot)
    .sort((a, b) => b.incarnation - a.incarnation)[0];
  return newest === undefined ? event.worker : { slot: newest.slot, incarnation: newest.incarnation };
}

function allShut(state: State): State {
  return {
    ...state,
    workers: new Map([...state.workers].map(([key, worker]) => [key, { ...worker, gate: 'shut' as const }])),
  };
}

/** The run's own hold is overlooked when the operator's goes. */
function forgetHold(state: State): State {
  return state.run === null ? state : { ...state, run: { ...state.run, epoch: null } };
}
