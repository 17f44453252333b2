/** Rows of the page's tables: on a phone each is a card, with the column's name before the value. */
import { el, say } from './dom.ts';

export interface Column {
  readonly label: string;
  readonly number?: boolean;
  /** Beside the text there is a line that shows how it went. */
  readonly spark?: boolean;
  /** Needs the width of two others on a phone. */
  readonly wide?: boolean;
}

/** The roles are said because a table that is laid out as cards loses them. */
export function row(columns: readonly Column[]): HTMLTableRowElement {
  return el(
    'tr',
    { role: 'row' },
    ...columns.map(({ label, number, spark, wide }) =>
      el(
        'td',
        {
          role: 'cell',
          'data-label': label,
          class: [number && 'number', spark && 'spot', wide && 'wide'].filter(Boolean).join(' '),
        },
        el('div', { class: 'cell' }, el('span', { class: 'text' }), el('span', { class: 'sub' })),
      ),
    ),
  );
}

export function cell(tr: HTMLTableRowElement, index: number): HTMLElement {
  return tr.cells[index]!.querySelector<HTMLElement>('.cell')!;
}

export function sayCell(tr: HTMLTableRowElement, index: number, text: string, sub = ''): void {
  const [main, small] = cell(tr, index).children;
  say(main!, text);
  say(small!, sub);
}
