/** Plots the requests per second of the last ten minutes, with the pauses as bands behind them. */
import uPlot from '../vendor/uPlot.esm.js';
import { byId, set } from '../parts/dom.ts';
import { rate } from '../parts/format.ts';
import type { Model } from '../live/model.ts';
import { bandsOf, columnsOf } from './traffic.ts';

/** The plot shows all samples that it has, but at least `shortest` and at most `longest`, s. */
const shortest = 120;
const longest = 600;

export class TrafficPlot {
  readonly #box = byId('traffic');
  #plot: uPlot | null = null;
  #bands: [number, number][] = [];
  #shown = '';

  /** @param onChange called when the plot has to be shown again */
  constructor(onChange: () => void) {
    new ResizeObserver(() => this.#resize()).observe(this.#box);
    // The colours are part of the drawing, so a new colour scheme needs a new drawing.
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.#plot?.destroy();
      this.#plot = null;
      this.#shown = '';
      onChange();
    });
  }

  show({ samples, pauses }: Model): void {
    const last = samples.at(-1);
    const key = `${last?.at} ${samples.length} ${pauses.length} ${pauses.at(-1)?.to}`;
    if (key === this.#shown || last === undefined || this.#box.clientWidth === 0) return;
    this.#shown = key;
    const end = Date.parse(last.at) / 1_000;
    const known = end - Date.parse(samples[0]!.at) / 1_000;
    const span = Math.min(longest, Math.max(shortest, known));
    this.#bands = bandsOf(pauses, end - span, end);
    const { times, served, refused } = columnsOf(samples);
    this.#plot ??= this.#make();
    this.#plot.batch(() => {
      this.#plot?.setData([times, served, refused], false);
      this.#plot?.setScale('x', { min: end - span, max: end });
    });
    const most = Math.max(...samples.map((sample) => sample.served));
    const label = `Requests per second: now ${rate(last.served)} served and ${rate(last.refused)} refused, at most ${rate(most)} served, ${this.#bands.length} pauses.`;
    set(this.#box, 'aria-label', label);
  }

  #make(): uPlot {
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    const axis = {
      stroke: colour('--muted'),
      font: '12px system-ui, sans-serif',
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
    };
    return new uPlot(
      {
        ...this.#size(),
        cursor: { show: false },
        legend: { show: false },
        padding: [8, 28, 0, 0],
        scales: { x: { time: true }, y: { range: (_plot, _min, max) => [0, Math.max(5, (max ?? 0) * 1.1)] } },
        axes: [
          { ...axis, size: 26, space: 70, values: (_plot, splits) => splits.map(timeLabel) },
          { ...axis, size: 48, space: 36, values: (_plot, splits) => splits.map((value) => rate(value)) },
        ],
        series: [
          {},
          {
            label: 'served',
            stroke: colour('--green'),
            width: 1.5,
            fill: `${colour('--green')}1f`,
            points: { show: false },
          },
          { label: 'refused', stroke: colour('--red'), width: 1.5, points: { show: false } },
        ],
        hooks: { drawClear: [(plot: uPlot) => this.#drawBands(plot, colour('--pause-band'), colour('--blue'))] },
      },
      [[], [], []],
      this.#box,
    );
  }

  #drawBands(plot: uPlot, fill: string, edge: string): void {
    const { ctx, bbox } = plot;
    ctx.save();
    for (const [from, to] of this.#bands) {
      const left = Math.max(bbox.left, plot.valToPos(from, 'x', true));
      const right = Math.max(left + devicePixelRatio, plot.valToPos(to, 'x', true));
      ctx.fillStyle = fill;
      ctx.fillRect(left, bbox.top, right - left, bbox.height);
      ctx.fillStyle = edge;
      ctx.fillRect(left, bbox.top, Math.max(right - left, devicePixelRatio), 2 * devicePixelRatio);
    }
    ctx.restore();
  }

  #size(): { width: number; height: number } {
    return { width: this.#box.clientWidth, height: this.#box.clientHeight };
  }

  #resize(): void {
    if (this.#box.clientWidth > 0) this.#plot?.setSize(this.#size());
  }
}

function timeLabel(seconds: number): string {
  const date = new Date(seconds * 1_000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return date.getSeconds() === 0 ? time : `${time}:${two(date.getSeconds())}`;
}
