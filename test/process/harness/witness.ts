/** What the handlers of fixtures/clock-app.ts have noted, and which of them were at work beside an exclusive one. */
import { readFileSync } from 'node:fs';

interface Note {
  readonly id: string;
  readonly what: 'begin' | 'still' | 'end';
  readonly kind: 'work' | 'alone';
  readonly host: string;
  /** CLOCK_MONOTONIC, ms. */
  readonly at: number;
}

export interface Span {
  readonly kind: Note['kind'];
  readonly host: string;
  readonly begin: number;
  /** The last that is known of it: its process may have been killed. */
  readonly end: number;
  readonly isWhole: boolean;
}

/** The handlers, by their beginning. */
export function spansIn(file: string): Span[] {
  const spans = new Map<string, Span>();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line === '') continue;
    const { id, what, kind, host, at } = JSON.parse(line) as Note;
    const begin = spans.get(id)?.begin ?? at;
    spans.set(id, { kind, host, begin, end: at, isWhole: what === 'end' });
  }
  return [...spans.values()].sort((a, b) => a.begin - b.begin);
}

/** Handlers that were at work beside an exclusive one, by their own clocks. */
export function overlapsIn(file: string): string[] {
  const found: string[] = [];
  let alone: Span | null = null;
  let latest: Span | null = null;
  for (const span of spansIn(file)) {
    // Of those that began before, the one that ended last, and the exclusive one that did.
    for (const before of span.kind === 'alone' ? [latest] : [alone])
      if (before !== null && before.end > span.begin)
        found.push(`${span.kind} of ${span.host} beside ${before.kind} of ${before.host}`);
    if (latest === null || span.end > latest.end) latest = span;
    if (span.kind === 'alone' && (alone === null || span.end > alone.end)) alone = span;
  }
  return found;
}
