/** Shows the five main numbers. */
import { byId, each, el, say, set } from '../parts/dom.ts';
import { age, count, rate, roughly } from '../parts/format.ts';
import type { Model } from '../live/model.ts';

/** The time span in which refused requests are counted, ms. */
const window = 600_000;

interface Tile {
  readonly label: string;
  readonly value: string;
  readonly note: string;
  readonly bad?: boolean;
}

/** @param now the primary's clock, epoch ms */
export function showTiles(model: Model, now: number): void {
  each(
    byId('tiles'),
    tiles(model, now),
    ({ label }) => label,
    ({ label }) => el('div', {}, el('dt', {}, label), el('dd', { class: 'value' }), el('dd', { class: 'note' })),
    (tile, { value, note, bad }) => {
      const [, shown, small] = tile.children;
      say(shown!, value);
      say(small!, note);
      set(shown!, 'class', bad ? 'value bad' : 'value');
    },
  );
}

function tiles(model: Model, now: number): Tile[] {
  const { status, samples } = model;
  const last = samples.at(-1);
  const workers = status?.workers ?? [];
  const slots = new Set(workers.map(({ slot }) => slot));
  const up = new Set(
    workers.filter(({ state }) => state !== 'starting' && state !== 'waiting').map(({ slot }) => slot),
  );
  const recent = samples.filter(({ at }) => now - Date.parse(at) < window);
  const refused = recent.reduce((sum, each) => sum + each.refused, 0);
  const perSlot = new Map(workers.map(({ slot, restarts: number }) => [slot, number]));
  const restarted = [...perSlot.values()].reduce((sum, each) => sum + each, 0);
  const replaced = [...slots].filter((slot) => workers.filter((each) => each.slot === slot).length > 1);
  return [
    {
      label: 'Requests/s',
      value: last === undefined ? '–' : rate(last.served),
      note: last === undefined || last.refused === 0 ? 'none refused now' : `${rate(last.refused)}/s refused now`,
    },
    {
      label: 'In flight',
      value: count(workers.reduce((sum, { inFlight }) => sum + inFlight, 0)),
      note: 'in all workers',
    },
    {
      label: 'Refused',
      value: count(refused),
      note: `in the last ${age(recent.length * 1_000)}`,
    },
    {
      label: 'Workers',
      value: `${up.size} of ${slots.size}`,
      note:
        replaced.length > 0
          ? `${replaced.length > 1 ? 'slots' : 'slot'} ${replaced.join(', ')} being replaced`
          : restarts(restarted),
      bad: up.size < slots.size,
    },
    lastMirror(model, now),
  ];
}

function restarts(number: number): string {
  if (number === 0) return 'no restart';
  return number === 1 ? '1 restart' : `${count(number)} restarts`;
}

function lastMirror({ runs }: Model, now: number): Tile {
  const label = 'Last mirror';
  const last = runs.find((run) => run.kind === 'sync' && run.endedAt !== undefined);
  if (last === undefined) return { label, value: '–', note: 'none yet' };
  const counts = last.report?.counts;
  const note =
    last.state === 'succeeded'
      ? counts === undefined
        ? 'succeeded'
        : `${count(counts.inserted + counts.updated + counts.deleted)} changes`
      : last.state;
  return { label, value: `${roughly(now - Date.parse(last.endedAt!))} ago`, note, bad: last.state === 'failed' };
}
