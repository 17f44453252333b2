/**
 * Text of others (members of feeds, paths, reasons, lines of workers) where a person reads it on a terminal: what would
 * move its cursor or turn the order of letters is shown as an escape, such as `\u001b`. In JSON that is the same text.
 */

// C0 but tab and newline, DEL, C1, the bidirectional controls (UAX #9), line separators and what has no width.
// eslint-disable-next-line no-control-regex
const hidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
// eslint-disable-next-line no-control-regex
const colours = /\u001b\[[\d;]*m/g;

export function visible(text: string): string {
  return text.replaceAll(hidden, escaped);
}

/** In one line: a newline could begin one that looks like another's. */
export function visibleLine(text: string): string {
  return visible(text).replaceAll(/[\n\t]/g, escaped);
}

/** What a worker wrote: its colours are left out, its lines stay. */
export function visibleOutput(text: string): string {
  return visible(text.replaceAll(colours, ''));
}

/** Each text in a value, in one line each. */
export function visibleIn<T>(value: T): T {
  return shown(value) as T;
}

function shown(value: unknown): unknown {
  if (typeof value === 'string') return visibleLine(value);
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [visibleLine(name), shown(member)]));
}

function escaped(character: string): string {
  if (character === '\n') return String.raw`\n`;
  if (character === '\t') return String.raw`\t`;
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
