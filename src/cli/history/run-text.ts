/** Describes a run for people. */
import { styled } from '../output.ts';
import { mirrorText, originText } from '../../protocol/feed/mirror-text.ts';
import { visibleIn } from '../../protocol/visible.ts';
import type { Counts, RunRecord, RunState } from '../../protocol/api/runs.ts';

const ended: Partial<Record<RunState, 'green' | 'red' | 'magenta'>> = {
  succeeded: 'green',
  failed: 'red',
  abandoned: 'magenta',
};

export function stateText(state: RunState): string {
  return styled(ended[state] ?? 'cyan', state);
}

export function countsText(counts: Counts): string {
  return Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
}

/** Describes what a run is for: its collection, and where its feed came from; or the request of a handler. */
export function purposeOf(run: RunRecord): string {
  const origin = originText(run);
  if (run.kind !== 'sync') return origin;
  return [mirrorText(run.collection, run.scope), origin && `from ${origin}`].filter(Boolean).join(' ');
}

/** Describes a run in one line. */
export function describeRun(run: RunRecord): string {
  const { id, kind, state, startedAt, progress, report, error } = visibleIn(run);
  const far =
    progress === undefined || ended[state] !== undefined
      ? ''
      : `, ${progress.step} ${progress.done}${progress.total === undefined ? '' : ` of ${progress.total}`}`;
  const what = report === undefined ? '' : `, ${countsText(report.counts)}`;
  return `${id} (${kind}) ${stateText(state)}, started ${startedAt}${far}${what}${error === undefined ? '' : `: ${error.detail}`}`;
}
