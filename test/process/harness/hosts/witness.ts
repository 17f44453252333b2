/** What the handlers of fixtures/clock-app.ts have noted, and which of them were at work beside an exclusive one. */
import { randomUUID } from 'node:crypto';
import { appendFileSync, readFileSync } from 'node:fs';

interface Note {
  readonly id: string;
  readonly what: 'begin' | 'still' | 'end';
  /** `hold`: an operator holds all hosts. A feed or an exclusive run still runs then. */
  readonly kind: 'work' | 'alone' | 'hold';
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

/** Notes that all hosts are held from now on; returns how to note that the hold is about to end. */
export function holdWitness(file: string): () => void {
  const id = randomUUID();
  const note = (what: Note['what']): void => {
    const at = Number(process.hrtime.bigint()) / 1e6;
    appendFileSync(file, `${JSON.stringify({ id, what, kind: 'hold', host: 'all hosts', at } satisfies Note)}\n`);
  };
  note('begin');
  return () => note('end');
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

const mayNotBeBeside = {
  work: ['alone', 'hold'],
  alone: ['work', 'alone'],
  hold: ['work'],
} as const satisfies Record<Span['kind'], readonly Span['kind'][]>;

/** All processes of a host stood still, as those of a frozen machine do. */
export interface Freeze {
  readonly host: string;
  /** CLOCK_MONOTONIC, ms. */
  readonly from: number;
  readonly to: number;
}

/** Of the handlers that were frozen in the middle, how long the last one went on afterwards, ms. */
export function outlasted(file: string, { host, from, to }: Freeze): number {
  const ends = spansIn(file).flatMap((span) => (isIn(span, { host, from, to }) ? [span.end - to] : []));
  return Math.max(0, ...ends);
}

function isIn(span: Span, { host, from, to }: Freeze): boolean {
  return span.host === host && span.begin <= from && span.end > to;
}

/**
 * Handlers that were at work beside an exclusive one, by their own clocks. One that was frozen in the middle counts until
 * then: no lease holds it up when it goes on (docs/many-hosts.md, "Honest limits"), so {@link outlasted} bounds that.
 */
export function overlapsIn(file: string, frozen: readonly Freeze[] = []): string[] {
  const found: string[] = [];
  // Of those that began before, the one that ended last.
  const latest: Partial<Record<Span['kind'], Span>> = {};
  for (const whole of spansIn(file)) {
    const freeze = frozen.find((each) => isIn(whole, each));
    const span = freeze === undefined ? whole : { ...whole, end: freeze.from };
    for (const before of mayNotBeBeside[span.kind].flatMap((kind) => latest[kind] ?? []))
      if (before.end > span.begin) found.push(`${span.kind} of ${span.host} beside ${before.kind} of ${before.host}`);
    if (span.end > (latest[span.kind]?.end ?? -Infinity)) latest[span.kind] = span;
  }
  return found;
}
