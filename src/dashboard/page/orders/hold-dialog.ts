/** The dialog of a hold: its reason, when it begins and when it ends. For one that stands, a new end or reason. */
import type { HoldStatus } from '#quiesce/protocol/api/runs.js';
import { ask } from './dialogs.ts';
import { byId, say, set } from '../parts/dom.ts';
import { clock } from '../parts/format.ts';
import { changeOrder, holdOrder, nextHour, type HoldForm, type HoldOrder } from './hold-order.ts';

/** What the two lists have for a time of day. */
const atTime = 'at';

/** A hold that stands. */
export interface Standing {
  readonly hold: HoldStatus;
  /** It is of this host alone, among several. */
  readonly here: boolean;
}

/**
 * Resolves when the hold is ordered, or the dialog was cancelled.
 *
 * @param standing the hold that is changed; null for a new one
 * @param by who orders it
 * @param now the primary's clock, epoch ms
 */
export async function askForHold(
  standing: Standing | null,
  by: string,
  now: () => number,
  order: (hold: HoldOrder) => Promise<void>,
): Promise<void> {
  const reason = byId<HTMLInputElement>('hold-reason');
  word(standing, now());
  const begins = moment('hold-from', 'hold-at', now());
  const ends = moment('hold-for', 'hold-until', now() + 3_600_000);
  reason.value = '';
  try {
    await ask('hold-dialog', () => {
      const form = { reason: reason.value, ...read(begins, ends) };
      return order(standing === null ? holdOrder(form, by, now()) : changeOrder(form, by, now(), standing.here));
    });
  } finally {
    begins.done.abort();
    ends.done.abort();
  }
}

function word(standing: Standing | null, now: number): void {
  const { until } = standing?.hold ?? {};
  const end = until === undefined ? 'when somebody resumes' : `at ${clock(Date.parse(until), now)}`;
  const isNew = standing === null;
  say(byId('hold-title'), isNew ? 'Hold the cluster?' : 'Extend the hold?');
  say(
    byId('hold-text'),
    isNew
      ? 'Requests in flight are finished; new ones are answered with 503 until the hold ends.'
      : 'The hold goes on, with a new end, which counts from now, or a new reason.',
  );
  say(byId('hold-open-end'), isNew ? end : `as it is, ${end}`);
  say(byId('hold-confirm'), isNew ? 'Hold' : 'Extend');
  set(byId('hold-from-field'), 'hidden', !isNew);
  byId<HTMLSelectElement>('hold-from').value = '';
  byId<HTMLSelectElement>('hold-for').value = '';
}

interface Moment {
  readonly list: HTMLSelectElement;
  readonly time: HTMLInputElement;
  readonly done: AbortController;
}

/** A list whose last entry shows a field for a day and a time. */
function moment(list: string, time: string, from: number): Moment {
  const found = {
    list: byId<HTMLSelectElement>(list),
    time: byId<HTMLInputElement>(time),
    done: new AbortController(),
  };
  const show = (): void => {
    const asked = found.list.value === atTime;
    set(byId(`${time}-field`), 'hidden', !asked);
    found.time.required = asked;
  };
  found.time.value = nextHour(from);
  found.list.addEventListener('change', show, { signal: found.done.signal });
  show();
  return found;
}

function read(begins: Moment, ends: Moment): Pick<HoldForm, 'begins' | 'ends'> {
  const after = ends.list.value;
  return {
    begins: begins.list.value === atTime ? begins.time.value : null,
    ends: after === '' ? null : after === atTime ? { at: ends.time.value } : { after },
  };
}
