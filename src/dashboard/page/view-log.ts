/** Shows the end of the log. It follows the newest line until the user scrolls away. */
import type { LogLine } from '#quiesce/protocol/live.js';
import { byId, el, set } from './dom.ts';
import { clock } from './format.ts';
import type { Model } from './model.ts';

type Filter = 'all' | 'supervisor' | 'warnings';
const mostLines = 500;

export class LogView {
  readonly #box = byId('log-lines');
  #filter: Filter = 'all';
  #shown: readonly LogLine[] = [];

  constructor(onChange: () => void) {
    byId('log-filter').addEventListener('change', (event) => {
      this.#filter = (event.target as HTMLSelectElement).value as Filter;
      this.#clear();
      onChange();
    });
  }

  show({ log, trusted }: Model): void {
    set(byId('log-locked'), 'hidden', trusted);
    set(this.#box, 'hidden', !trusted);
    if (log === this.#shown) return;
    // Draws only the new lines if the lines that are already drawn are the start of the log.
    const last = this.#shown.at(-1);
    const from = last === undefined ? 0 : log.indexOf(last) + 1;
    if (from === 0) this.#clear();
    const follows = this.#box.scrollHeight - this.#box.scrollTop - this.#box.clientHeight < 40;
    this.#shown = log;
    const now = Date.now();
    this.#box.append(
      ...log
        .slice(from)
        .filter((line) => this.#passes(line))
        .map((line) => lineOf(line, now)),
    );
    while (this.#box.childElementCount > mostLines) this.#box.firstElementChild?.remove();
    if (follows) this.#box.scrollTop = this.#box.scrollHeight;
  }

  #clear(): void {
    this.#box.replaceChildren();
    this.#shown = [];
  }

  #passes(line: LogLine): boolean {
    if (this.#filter === 'all') return true;
    return this.#filter === 'warnings' ? line.level >= 40 || line.stream === 'stderr' : line.stream === undefined;
  }
}

function lineOf(line: LogLine, now: number): HTMLParagraphElement {
  const { level, time, msg, slot, incarnation, stream } = line;
  const who = stream === undefined ? '' : `${slot ?? '?'}.${incarnation ?? '?'}`;
  const kind = level >= 50 ? 'error' : level >= 40 ? 'warn' : 'info';
  const error = line['err'] as { message?: unknown } | undefined;
  const detail = typeof error?.message === 'string' && !msg?.includes(error.message) ? `: ${error.message}` : '';
  return el(
    'p',
    { 'data-level': kind },
    el('span', { class: 'when' }, clock(new Date(time).getTime(), now)),
    el('span', { class: 'who' }, who),
    el('span', { class: 'what' }, kind === 'info' ? null : `${kind}: `, `${msg ?? ''}${detail}`),
  );
}
