/** Shows the end of the log, filtered. It follows the newest line until the user scrolls away or a time is marked. */
import type { LogLine } from '#quiesce/protocol/api/live.js';
import { home, type LogFilter } from '../place/address.ts';
import { breakable, byId, each, el, say, set } from '../parts/dom.ts';
import { clock } from '../parts/format.ts';
import { passes } from './log-filter.ts';
import type { Model } from '../live/model.ts';
import { linkTo, type Navigation } from '../place/navigation.ts';

const mostLines = 500;

export class LogView {
  readonly #navigation: Navigation;
  readonly #box = byId('log-lines');
  readonly #level = byId<HTMLSelectElement>('log-level');
  readonly #from = byId<HTMLSelectElement>('log-from');
  readonly #text = byId<HTMLInputElement>('log-text');
  #filter: LogFilter = home.log;
  #log: readonly LogLine[] = [];
  #at: number | null = null;

  constructor(navigation: Navigation) {
    this.#navigation = navigation;
    this.#level.addEventListener('change', () => this.#change({ level: this.#level.value as LogFilter['level'] }));
    this.#from.addEventListener('change', () => this.#change({ from: this.#from.value }));
    this.#text.addEventListener('input', () => {
      const before = navigation.address.log.text;
      this.#change({ text: this.#text.value }, before === '' || this.#text.value === '' ? 'push' : 'replace');
    });
    this.#box.addEventListener('click', (event) => this.#onClick(event));
  }

  show({ log, trusted, status }: Model): void {
    const { log: filter, at } = this.#navigation.address;
    set(byId('log-locked'), 'hidden', trusted);
    set(this.#box, 'hidden', !trusted);
    this.#showFilter(filter, new Set(status?.workers.map(({ slot }) => slot)));
    if (log === this.#log && filter === this.#filter && at === this.#at) return;
    const follows = at === null && (this.#at !== null || this.#isAtEnd());
    this.#draw(log, filter);
    const found = log.filter((line) => passes(line, filter)).length;
    say(byId('log-count'), found === log.length ? '' : `${found} of ${log.length} lines`);
    set(byId('log-none'), 'hidden', !trusted || found > 0);
    this.#mark(at, log[0]);
    if (follows) this.#box.scrollTop = this.#box.scrollHeight;
  }

  #change(change: Partial<LogFilter>, how?: 'push' | 'replace'): void {
    this.#navigation.go({ log: { ...this.#navigation.address.log, ...change } }, how);
  }

  /** A click on the time of a line marks it, or takes the mark away. */
  #onClick(event: MouseEvent): void {
    const link = (event.target as Element).closest<HTMLElement>('a.when');
    if (link === null || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const time = timeIn(link.parentElement!);
    this.#navigation.go({ at: time === this.#navigation.address.at ? null : time });
  }

  #showFilter({ level, from, text }: LogFilter, slots: Set<number>): void {
    if (/^\d/.test(from)) slots.add(Number(from));
    each(
      this.#from,
      ['all', 'supervisor', ...[...slots].sort((a, b) => a - b).map(String)],
      (value) => value,
      (value) => el('option', { value }, sourceName(value)),
      () => {},
    );
    this.#level.value = level;
    this.#from.value = from;
    if (this.#text.value !== text) this.#text.value = text;
  }

  /** Draws only the new lines if the lines that are already drawn are the start of the log. */
  #draw(log: readonly LogLine[], filter: LogFilter): void {
    const last = filter === this.#filter ? this.#log.at(-1) : undefined;
    const from = last === undefined ? 0 : log.indexOf(last) + 1;
    if (from === 0) this.#box.replaceChildren();
    this.#log = log;
    this.#filter = filter;
    const now = Date.now();
    const lines = log.slice(from).filter((line) => passes(line, filter));
    this.#box.append(...lines.slice(-mostLines).map((line) => lineOf(line, now, filter)));
    while (this.#box.childElementCount > mostLines) this.#box.firstElementChild?.remove();
  }

  /** Marks the first line at this time or after it, unless the log that is kept begins later. */
  #mark(at: number | null, first: LogLine | undefined): void {
    const before = this.#box.querySelector('[aria-current]');
    const isKept = at !== null && first !== undefined && new Date(first.time).getTime() <= at;
    const wanted = isKept ? [...this.#box.children].find((line) => timeIn(line) >= at) : undefined;
    const moved = at !== this.#at || wanted !== (before ?? undefined);
    this.#at = at;
    if (!moved) return;
    if (before !== null) set(before, 'aria-current', null);
    if (wanted === undefined) return;
    set(wanted, 'aria-current', 'true');
    const { top } = wanted.getBoundingClientRect();
    this.#box.scrollTop += top - this.#box.getBoundingClientRect().top - this.#box.clientHeight / 3;
  }

  #isAtEnd(): boolean {
    return this.#box.scrollHeight - this.#box.scrollTop - this.#box.clientHeight < 40;
  }
}

function sourceName(from: string): string {
  if (from === 'all') return 'everybody';
  return from === 'supervisor' ? 'the supervisor' : `worker ${from}`;
}

function timeIn(line: Element): number {
  return Number((line as HTMLElement).dataset['time']);
}

function lineOf(line: LogLine, now: number, log: LogFilter): HTMLParagraphElement {
  const { level, time, msg, slot, stream } = line;
  const who = stream === undefined ? '' : String(slot ?? '?');
  const kind = level >= 50 ? 'error' : level >= 40 ? 'warn' : 'info';
  const error = line['err'] as { message?: unknown } | undefined;
  const detail = typeof error?.message === 'string' && !msg?.includes(error.message) ? `: ${error.message}` : '';
  const at = new Date(time).getTime();
  return el(
    'p',
    { 'data-level': kind, 'data-time': at },
    el('a', { class: 'when', href: linkTo({ at, log }) }, clock(at, now)),
    el('span', { class: 'who' }, who),
    el('span', { class: 'what' }, ...breakable(`${kind === 'info' ? '' : `${kind}: `}${msg ?? ''}${detail}`)),
  );
}
