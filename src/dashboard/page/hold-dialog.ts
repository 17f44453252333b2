/** The dialog of a hold: its reason, when it begins and when it ends. */
import { ask } from './dialogs.ts';
import { byId, set } from './dom.ts';
import { holdOrder, nextHour, type HoldForm, type HoldOrder } from './hold-order.ts';

/** What the two lists have for a time of day. */
const atTime = 'at';

/**
 * Resolves when the hold is ordered, or the dialog was cancelled.
 *
 * @param by who orders it
 * @param now the primary's clock, epoch ms
 */
export async function askForHold(
  by: string,
  now: () => number,
  order: (hold: HoldOrder) => Promise<void>,
): Promise<void> {
  const reason = byId<HTMLInputElement>('hold-reason');
  const begins = moment('hold-from', 'hold-at', now());
  const ends = moment('hold-for', 'hold-until', now() + 3_600_000);
  reason.value = '';
  try {
    await ask('hold-dialog', () => order(holdOrder({ reason: reason.value, ...read(begins, ends) }, by, now())));
  } finally {
    begins.done.abort();
    ends.done.abort();
  }
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
