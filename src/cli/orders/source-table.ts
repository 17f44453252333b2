/** The sources of feeds, for a terminal. */
import { duration, styled } from '../output.ts';
import { table } from '../table.ts';
import { mirrorText } from '../../protocol/feed/mirror-text.ts';
import type { SourceStatus } from '../../protocol/api/source-status.ts';

const colours = { mirrored: 'green', unchanged: 'green', failed: 'red' } as const;

/** @param now epoch ms */
export function sourceTable(sources: readonly SourceStatus[], now: number): string {
  const until = (time: string): string => `in ${duration(Math.max(0, Date.parse(time) - now))}`;
  const rows = sources.map(({ source, collection, scope, state, next, last }) => [
    source,
    mirrorText(collection, scope),
    state === 'fetching'
      ? 'now'
      : next === undefined
        ? 'never'
        : `${until(next)}${state === 'retrying' ? ', again' : ''}`,
    last === undefined
      ? ''
      : `${styled(colours[last.outcome], last.outcome)} ${duration(Math.max(0, now - Date.parse(last.at)))} ago`,
  ]);
  const why = sources.flatMap(({ source, last }) => (last?.reason === undefined ? [] : [`${source}: ${last.reason}`]));
  return [table(['source', 'into', 'next', 'last'], rows, []), ...why].join('\n');
}
