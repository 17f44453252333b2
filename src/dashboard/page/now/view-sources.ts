/** Shows the feeds that the primary fetches, where there are some. */
import type { SourceStatus } from '#quiesce/protocol/api/source-status.js';
import { row, sayCell, sayState, type Column } from '../parts/cells.ts';
import { byId, each, set } from '../parts/dom.ts';
import { age, clock } from '../parts/format.ts';
import type { Model } from '../live/model.ts';
import { mirrorText } from '../vendor/mirror-text.ts';

const columns: Column[] = [{ label: 'Feed', wide: true }, { label: 'Next' }, { label: 'Last', wide: true }];

/** @param now the primary's clock, epoch ms */
export function showSources({ status }: Model, now: number): void {
  const sources = status?.sources ?? [];
  set(byId('sources'), 'hidden', sources.length === 0);
  each(
    byId('source-rows'),
    // Two may look the same: the query of an address is not shown.
    sources.map((one, index) => ({ one, key: JSON.stringify([one.source, one.collection, one.scope, index]) })),
    ({ key }) => key,
    () => row(columns),
    (tr, { one }) => {
      sayCell(tr, 0, one.source, mirrorText(one.collection, one.scope));
      sayCell(tr, 1, nextText(one, now), one.state === 'retrying' ? 'another try' : '');
      const { last } = one;
      if (last === undefined) return sayState(tr, 2, 'not yet', '');
      const when = `${clock(Date.parse(last.at), now)}, ${age(now - Date.parse(last.at))} ago`;
      sayState(tr, 2, last.outcome, last.outcome, last.reason === undefined ? when : `${when}: ${last.reason}`);
    },
  );
}

function nextText({ state, next }: SourceStatus, now: number): string {
  if (state === 'fetching') return 'at work';
  return next === undefined ? 'never' : clock(Date.parse(next), now);
}
