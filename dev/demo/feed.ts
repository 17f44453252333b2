/** Feeds that look like a product catalogue, the same at every run. */

export interface Item {
  readonly id: string;
  readonly name: string;
  readonly price: number;
  readonly stock: number;
  readonly tags: readonly string[];
}

const adjectives = ['small', 'large', 'blue', 'grün', 'heavy', 'silent', 'лёгкий', 'quick'];
const nouns = ['lamp', 'chair', 'kettle', 'ladder', 'radio', 'tēja', 'wheel', 'clock'];

function item(index: number, edition: number): Item {
  const pick = (list: readonly string[], step: number): string => list[(index * step + edition) % list.length] ?? '';
  return {
    id: `item-${String(index).padStart(6, '0')}`,
    name: `${pick(adjectives, 3)} ${pick(nouns, 5)} ${index}`,
    price: ((index * 7919) % 100_000) / 100 + edition,
    stock: (index * 31) % 500,
    tags: [pick(adjectives, 7), pick(nouns, 11)],
  };
}

export function firstFeed(size: number): Item[] {
  return Array.from({ length: size }, (_, index) => item(index, 0));
}

/** What one night changes: 1 % of the items, a fifth of those gone, a fifth new, the rest changed. */
export function nextFeed(items: readonly Item[]): {
  items: Item[];
  inserted: number;
  updated: number;
  deleted: number;
} {
  const changed = items.length / 100;
  const fifth = changed / 5;
  const kept = items.slice(fifth);
  const updated = changed - 2 * fifth;
  for (let n = 0; n < updated; n += 1) {
    const index = Math.floor(((n + 0.5) * kept.length) / updated);
    kept[index] = item(fifth + index, 1);
  }
  const added = Array.from({ length: fifth }, (_, n) => item(items.length + n, 0));
  return { items: [...kept, ...added], inserted: fifth, updated, deleted: fifth };
}
