/** Shows the run in progress: its steps, its progress, and its estimated end. */
import type { Progress, RunRecord } from '#quiesce/protocol/api/runs.js';
import { byId, each, el, say, set } from '../parts/dom.ts';
import { mirrorText } from '../vendor/mirror-text.ts';
import { age, capitalized, count, duration, rate } from '../parts/format.ts';
import { runKinds, runSteps, type RunStep } from '../vendor/words.ts';

const names: Record<RunStep, string> = {
  upload: 'upload',
  prepare: 'prepare, while it serves',
  drain: 'drain',
  scan: 'compare',
  write: 'write',
};

/** Returns the current step of a run, from its progress or its state. Pure. */
export function stepOf({ state, progress }: RunRecord): RunStep {
  switch (state) {
    case 'uploading':
      return 'upload';
    case 'preparing':
      return 'prepare';
    case 'draining':
      return 'drain';
    default:
      return progress?.step === 'scan' || progress?.step === 'write' ? progress.step : 'scan';
  }
}

/** `12 400 of 50 000 items · 8 200/s · about 4 s left`. Pure. */
export function farText(progress: Progress | undefined, step: RunStep): string {
  if (progress === undefined || progress.step !== step) return '';
  const { done, total, rate: speed, eta } = progress;
  const unit = step === 'upload' ? 'bytes' : step === 'drain' ? 'workers' : 'items';
  return [
    total === undefined ? `${count(done)} ${unit}` : `${count(done)} of ${count(total)} ${unit}`,
    speed === undefined || speed === 0 ? '' : `${rate(speed)}/s`,
    eta === undefined ? '' : `about ${eta < 1_000 ? '1 s' : duration(eta)} left`,
  ]
    .filter((part) => part !== '')
    .join(' · ');
}

/** @param now the primary's clock, epoch ms */
export function showRun(run: RunRecord | null, now: number): void {
  set(byId('run'), 'hidden', run === null);
  if (run === null) return;
  const { id, kind, state, startedAt, progress, notes = [] } = run;
  const rolling = state === 'rolling-forward';
  const mirror = mirrorText(run.collection, run.scope);
  const what = `${capitalized(runKinds[kind])}${mirror && ` into ${mirror}`}`;
  const verb = rolling
    ? 'is being finished after a crash'
    : `has been going on for ${age(now - Date.parse(startedAt))}`;
  say(byId('run-title'), `${what} ${id} ${verb}`);
  const step = stepOf(run);
  const list = byId('run-steps');
  set(list, 'hidden', kind !== 'sync');
  each(
    list,
    runSteps,
    (each) => each,
    (each) => el('li', {}, names[each]),
    (item, each) => {
      const position = runSteps.indexOf(each) - runSteps.indexOf(step);
      set(item, 'data-state', position < 0 ? 'done' : position === 0 ? 'now' : 'next');
      set(item, 'aria-current', position === 0 && 'step');
    },
  );
  const bar = byId<HTMLProgressElement>('run-progress');
  const known = progress?.step === step ? progress : undefined;
  if (known?.total === undefined || known.total === 0) bar.removeAttribute('value');
  else bar.value = Math.min(1, known.done / known.total);
  const owner =
    kind === 'exclusive' && run.owner ? `${run.owner.method} ${run.owner.path} in slot ${run.owner.slot}` : '';
  say(byId('run-far'), farText(progress, step) || owner || `${names[step]} …`);
  set(byId('run-notes'), 'hidden', notes.length === 0);
  say(byId('run-notes'), notes.join(' '));
  set(byId('cancel'), 'hidden', rolling);
  set(byId('cancel'), 'data-run', id);
  set(byId('abandon'), 'hidden', !rolling);
  set(byId('abandon'), 'data-run', id);
}
