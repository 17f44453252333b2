/**
 * Makes text of others (members of feeds, paths, reasons, lines of workers) safe to show on a terminal: characters that
 * would move the cursor or change the order of letters become escapes, such as `\u001b`. In JSON that is the same text.
 */

// C0 except tab and newline, DEL, C1, bidirectional controls (UAX #9), line separators, characters without width.
// eslint-disable-next-line no-control-regex
const hidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
// eslint-disable-next-line no-control-regex
const colours = /\u001b\[[\d;]*m/g;

export function visible(text: string): string {
  return text.replaceAll(hidden, escaped);
}

/** On one line: after a newline, the text could pass for a line of its own. */
export function visibleLine(text: string): string {
  return visible(text).replaceAll(/[\n\t]/g, escaped);
}

/** For the output of a worker: removes the colours, keeps the lines. */
export function visibleOutput(text: string): string {
  return visible(text.replaceAll(colours, ''));
}

/** For text that a formatter has coloured: keeps the colours. Texts of others in it may change a colour, and no more. */
export function visibleColoured(text: string): string {
  const kept = text.match(colours) ?? [];
  return text
    .split(colours)
    .map((part, index) => visible(part) + (kept[index] ?? ''))
    .join('');
}

/** Each text in a value, each on one line. */
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
