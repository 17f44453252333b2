/** Handles what the other hosts of a site want of this one, and their answers to its run. */
import type { Draft } from './draft.ts';
import { onExecEnd } from './exec-step.ts';
import { holds, isForRun, type Event, type Run } from './state.ts';

/** Each pause of the site is a pause of this host, which must prove again that it is at rest. */
export function onSite(draft: Draft, { hold, mirrored = [] }: Extract<Event, { type: 'site' }>): void {
  const before = draft.state.site;
  draft.set({ site: hold });
  // A feed of another host may have changed documents.
  if (before?.kind === 'sync' && before.run !== hold?.run && before.run !== null) draft.mirrored(before.run);
  for (const run of mirrored) draft.mirrored(run);
  if (hold === null) return before === null ? undefined : draft.openOrInform();
  const isNew = hold.epoch !== null && hold.epoch !== before?.epoch;
  if (!isNew && draft.state.phase !== 'serving') return draft.inform();
  draft.beginPause();
  if (isForRun(hold) && draft.rules.onDrainTimeout === 'force')
    draft.timer({ kind: 'drain', epoch: draft.state.epoch }, draft.rules.drainTimeout);
}

export function onAgreed(draft: Draft, { run: id, to, hold, fence }: Extract<Event, { type: 'agreed' }>): void {
  const { run } = draft;
  if (run?.id !== id || run.asks !== to) return;
  const before = draft.state.site;
  draft.set({ site: hold });
  if (to === 'begin') draft.setRun({ ...run, fence });
  draft.goOn(to);
  // A run may end before this host has heard that its drain was agreed to: then the site's pause was its only one.
  if (before !== null && hold === null) draft.openOrInform();
}

export function onRefused(draft: Draft, { run: id, code, holder }: Extract<Event, { type: 'refused' }>): void {
  if (draft.run?.id !== id || draft.run.asks !== 'claim') return;
  draft.set({ run: null });
  draft.emit({ type: 'refuse', run: id, code, holder });
  draft.recoverNext();
}

/** Ends the work on the run here: another host may have taken the run over. */
export function onLost(draft: Draft, id: string): void {
  const { run, state } = draft;
  if (state.unfinished.includes(id)) draft.set({ unfinished: state.unfinished.filter((each) => each !== id) });
  if (run?.id !== id || run.asks === 'end') return;
  if (run.exec !== null) {
    // This host cannot stop a command. While the command runs, this host stays shut, and does not join the site again.
    return run.stage === 'running' ? undefined : onExecEnd(draft, id, 'owner-died');
  }
  if (mayBeHalfDone(run)) {
    if (run.stage === 'running') draft.move('ending');
    draft.setRun({ ...draft.run!, asks: null, endsWith: 'owner-died' });
    return draft.emit({ type: 'drop', run: id });
  }
  if (run.stage === 'ending') return;
  if (run.stage === 'running') return draft.endWork('owner-died', `the host of run ${id} is no longer in the cluster`);
  if (run.stage === 'preparing') draft.emit({ type: 'cancel', run: id });
  draft.endRun('owner-died');
}

/** Whether the run may be half done. The host that has the feed finishes it: this one, once it is back, or another. */
function mayBeHalfDone(run: Run): boolean {
  const isWritten = run.owner === null && holds(run) && (run.stage === 'running' || run.stage === 'ending');
  return run.recovered || isWritten;
}

/** Whether the run is being dropped: the host that takes it over starts it again, whatever was done here. */
export function isDropped(run: Run): boolean {
  return run.endsWith === 'owner-died' && mayBeHalfDone(run);
}

export function onDropped(draft: Draft, id: string): void {
  if (draft.run?.id !== id) return;
  draft.set({ run: null, cutting: false });
  draft.recoverNext();
  draft.openOrInform();
}
