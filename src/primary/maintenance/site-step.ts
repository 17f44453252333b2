/** What the other hosts of a site want of this one, and what they say to what its run asks. */
import type { Draft } from './draft.ts';
import { onExecEnd } from './exec-step.ts';
import { holds, isForRun, type Event, type Run, type SiteHold } from './state.ts';

/** Each pause of the site is one of this host's: what is at rest is proven anew for it. */
export function onSite(draft: Draft, hold: SiteHold | null): void {
  const before = draft.state.site;
  draft.set({ site: hold });
  // A feed of another host may have changed documents.
  if (before?.kind === 'sync' && before.run !== hold?.run && before.run !== null) draft.mirrored(before.run);
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
  draft.set({ site: hold });
  if (to === 'begin') draft.setRun({ ...run, fence });
  draft.goOn(to);
}

export function onRefused(draft: Draft, { run: id, code, holder }: Extract<Event, { type: 'refused' }>): void {
  if (draft.run?.id !== id || draft.run.asks !== 'claim') return;
  draft.set({ run: null });
  draft.emit({ type: 'refuse', run: id, code, holder });
  draft.recoverNext();
}

/** Nothing of it may go on here: another host may have it already. */
export function onLost(draft: Draft, id: string): void {
  const { run, state } = draft;
  if (state.unfinished.includes(id)) draft.set({ unfinished: state.unfinished.filter((each) => each !== id) });
  if (run?.id !== id || run.asks === 'end') return;
  if (run.exec !== null) {
    // Nobody here can stop a command. While it is at work this host stays shut, and is not a host of the site again.
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

/** Whoever has the feed finishes it: this host, once it is back, or another. */
function mayBeHalfDone(run: Run): boolean {
  const isWritten = run.owner === null && holds(run) && (run.stage === 'running' || run.stage === 'ending');
  return run.recovered || isWritten;
}

/** Whoever takes it over starts anew with it, however far it has come here. */
export function isDropped(run: Run): boolean {
  return run.endsWith === 'owner-died' && mayBeHalfDone(run);
}

export function onDropped(draft: Draft, id: string): void {
  if (draft.run?.id !== id) return;
  draft.set({ run: null, cutting: false });
  draft.recoverNext();
  draft.openOrInform();
}
