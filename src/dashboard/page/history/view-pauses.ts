/** Shows the pauses of the last hour, day or week, as a time line and as a table, and the time that is marked. */
import type { PauseRecord } from '#quiesce/protocol/api/live.js';
import { rangeOf, ranges, type Range } from '../place/address.ts';
import { cell, row, sayCell, type Column } from '../parts/cells.ts';
import { byId, each, el, say, set, svg } from '../parts/dom.ts';
import { clock, count, duration } from '../parts/format.ts';
import type { Model } from '../live/model.ts';
import type { Navigation } from '../place/navigation.ts';
import { kindName } from '../now/view-headline.ts';
import { More } from '../parts/more.ts';
import { kindOf, marksOf, pausedFor, ticksOf } from './timeline.ts';

const columns: Column[] = [
  { label: 'Began' },
  { label: 'Paused for', number: true },
  { label: 'Why', wide: true },
  { label: 'Drained in', number: true },
  { label: 'Refused', number: true },
];

export class PausesView {
  readonly #strip = svg('svg', { role: 'img', preserveAspectRatio: 'none', viewBox: '0 0 1000 40' });
  readonly #marks = svg('g');
  readonly #marker = svg('rect', { class: 'marker', y: 0, width: 3, height: 40 });
  readonly #navigation: Navigation;
  readonly #ticks = el('div', { class: 'ticks', 'aria-hidden': 'true' });
  readonly #more: More;

  constructor(navigation: Navigation, onChange: () => void) {
    this.#navigation = navigation;
    this.#more = new More('more-pauses', 'pauses', onChange);
    this.#strip.append(
      svg('rect', { class: 'track', x: 0, y: 0, width: 1000, height: 40, rx: 2 }),
      this.#marks,
      this.#marker,
    );
    byId('timeline').append(this.#strip, this.#ticks);
    byId('range').addEventListener('change', (event) => {
      navigation.go({ range: (event.target as HTMLInputElement).value as Range });
    });
    byId('unmark').addEventListener('click', () => navigation.go({ at: null }));
  }

  /** @param now the primary's clock, epoch ms */
  show({ pauses }: Model, now: number): void {
    const { at } = this.#navigation.address;
    const range = rangeOf(this.#navigation.address, now);
    const span = ranges[range];
    for (const input of byId('range').querySelectorAll('input')) input.checked = input.value === range;
    this.#mark(at, now, span);
    const marks = marksOf(pauses, now, span);
    const total = pausedFor(marks, span);
    const label = `${marks.length} pauses, ${duration(total)} in all`;
    set(this.#strip, 'aria-label', label);
    each(
      this.#marks,
      marks,
      ({ pause }) => pause.from,
      () => svg('rect', { class: 'pause', y: 4, height: 32 }, svg('title')),
      (rect, { pause, left, width }) => {
        const shown = Math.max(width, 0.003);
        set(rect, 'data-kind', kindOf(pause));
        set(rect, 'x', (Math.min(left, 1 - shown) * 1000).toFixed(1));
        set(rect, 'width', (shown * 1000).toFixed(1));
        say(rect.firstElementChild!, `${clock(Date.parse(pause.from), now)}: ${reasons(pause)}, ${length(pause, now)}`);
      },
    );
    each(
      this.#ticks,
      ticksOf(now, span),
      ({ label: text }) => text,
      () => el('span'),
      (tick, { at, label: text }) => {
        tick.style.left = `${at * 100}%`;
        say(tick, text);
      },
    );
    const listed = marks.map(({ pause }) => pause).reverse();
    this.#table(
      this.#more.first(listed, (pause) => isAt(pause, at, now)),
      now,
    );
  }

  #mark(at: number | null, now: number, span: number): void {
    set(byId('marked'), 'hidden', at === null);
    const place = at === null ? -1 : 1 - (now - at) / span;
    set(this.#marker, 'visibility', place < 0 || place > 1 ? 'hidden' : null);
    set(this.#marker, 'x', (Math.min(Math.max(place, 0), 0.997) * 1000).toFixed(1));
    if (at !== null) say(byId('marked-time'), clock(at, now));
  }

  #table(pauses: readonly PauseRecord[], now: number): void {
    set(byId('no-pauses'), 'hidden', pauses.length > 0);
    set(byId('pause-table'), 'hidden', pauses.length === 0);
    each(
      byId('pause-rows'),
      pauses,
      ({ from }) => from,
      ({ from }) => {
        const tr = row(columns);
        const link = el('a', { class: 'text' });
        this.#navigation.follow(link, { at: Date.parse(from) });
        cell(tr, 0).firstElementChild!.replaceWith(link);
        return tr;
      },
      (tr, pause) => {
        const { from, refused } = pause;
        const kind = kindOf(pause);
        set(tr, 'aria-current', isAt(pause, this.#navigation.address.at, now) && 'true');
        sayCell(tr, 0, clock(Date.parse(from), now));
        sayCell(tr, 1, length(pause, now));
        sayCell(tr, 2, kind === 'none' ? '–' : kindName(kind), reasons(pause));
        const what = tr.cells[2]!.querySelector('.text')!;
        set(what, 'class', 'text kind');
        set(what, 'data-kind', kind);
        sayCell(tr, 3, drainedIn(pause));
        sayCell(tr, 4, count(refused));
      },
    );
  }
}

function isAt({ from, to }: PauseRecord, at: number | null, now: number): boolean {
  return at !== null && Date.parse(from) <= at && at <= (to === undefined ? now : Date.parse(to));
}

function drainedIn({ from, drained, to }: PauseRecord): string {
  if (drained !== undefined) return duration(Date.parse(drained) - Date.parse(from));
  return to === undefined ? 'draining' : 'given up';
}

function length({ from, to }: PauseRecord, now: number): string {
  if (to === undefined) return `${duration(Math.floor((now - Date.parse(from)) / 1_000) * 1_000)} so far`;
  return duration(Date.parse(to) - Date.parse(from));
}

function reasons({ holds }: PauseRecord): string {
  return holds
    .map(({ kind, reason, by }) => {
      if (kind !== 'operator') return reason.replace(/^run /, '');
      return by === undefined ? reason : `${reason} (${by})`;
    })
    .join('; ');
}
