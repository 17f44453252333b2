/** Builds the rows of the page's tables: on a phone, each row is a card with the column's name before the value. */
import { each, el, say, set } from './dom.ts';

export interface Column {
  readonly label: string;
  readonly number?: boolean;
  /** The cell also has a small line with the history of the value. */
  readonly spark?: boolean;
  /** On a phone, the cell needs the width of two. */
  readonly wide?: boolean;
}

/** Sets the roles explicitly, since a table that is laid out as cards loses them. */
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

/** As `sayCell`, with the color of this state. */
export function sayState(tr: HTMLTableRowElement, index: number, text: string, state: string, sub = ''): void {
  sayCell(tr, index, text, sub);
  const [main] = cell(tr, index).children;
  set(main!, 'class', 'text state');
  set(main!, 'data-state', state);
}

export type Facts = readonly (readonly [name: string, text: string])[];

/** A row of the whole width below another, with a list of facts between what is given. */
export function detailRow(width: number, after: readonly Node[], before: Node | null = null): HTMLTableRowElement {
  const content = el('div', { class: 'report' }, before, el('dl'), ...after);
  return el('tr', { role: 'row' }, el('td', { role: 'cell', colspan: width, class: 'whole' }, content));
}

export function fillDetails(tr: HTMLTableRowElement, facts: Facts): void {
  each(
    tr.querySelector('dl')!,
    facts.flatMap(([name, text], index) => [
      { tag: 'dt' as const, key: `${index} ${name}`, text: name },
      { tag: 'dd' as const, key: `${index} text`, text },
    ]),
    ({ key }) => key,
    ({ tag }) => el(tag),
    (node, { text }) => say(node, text),
  );
}
