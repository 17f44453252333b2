/** Builds and changes elements. All content is text: no outside data is ever parsed as HTML. */

import { piecesOf } from './breaks.ts';

type Attributes = Readonly<Record<string, string | number | boolean | null | undefined>>;
type Child = Node | string | null | undefined | false;

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  fill(node, attributes, children);
  return node;
}

export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  fill(node, attributes, children);
  return node;
}

function fill(node: Element, attributes: Attributes, children: readonly Child[]): void {
  for (const [name, value] of Object.entries(attributes)) set(node, name, value);
  for (const child of children) if (child) node.append(child);
}

/** Sets an attribute, or removes it if the value is null or false; does nothing if it has not changed. */
export function set(node: Element, name: string, value: Attributes[string]): void {
  if (value === null || value === undefined || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
    return;
  }
  const text = value === true ? '' : String(value);
  if (node.getAttribute(name) !== text) node.setAttribute(name, text);
}

/** Sets the text if it differs: so unchanged text is neither drawn nor read out again. */
export function say(node: Element, text: string): void {
  if (node.textContent !== text) node.replaceChildren(...breakable(text));
}

/** A text that is broken into lines between words, and within an address between its parts. */
export function breakable(text: string): (Node | string)[] {
  const [first = '', ...rest] = piecesOf(text);
  return [first, ...rest.flatMap((piece) => [document.createElement('wbr'), piece])];
}

export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const node = document.getElementById(id);
  if (node === null) throw new Error(`The page has no #${id}.`);
  return node as T;
}

/**
 * Gives `parent` one child for each item, in order. Children that stay keep focus and selection.
 *
 * @param make called for an item that is new
 * @param update called for each item, new or not
 */
export function each<T, N extends Element>(
  parent: Element,
  items: readonly T[],
  key: (item: T) => string,
  make: (item: T) => N,
  update: (node: N, item: T) => void,
): void {
  const known = new Map<string, Element>();
  for (const child of parent.children) known.set((child as HTMLElement).dataset['key'] ?? '', child);
  let position: Element | null = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    let node = known.get(name) as N | undefined;
    if (node === undefined) {
      node = make(item);
      node.setAttribute('data-key', name);
    }
    known.delete(name);
    if (node === position) position = position.nextElementSibling;
    else parent.insertBefore(node, position);
    update(node, item);
  }
  for (const left of known.values()) left.remove();
}
