/** Draws the last minutes of a number as a small line. Screen readers skip it: the number itself is beside it. */
import { set, svg } from '../parts/dom.ts';

const width = 100;
const height = 24;

/**
 * Returns the path through `values`, the newest at the right edge, one step per value; null is a gap. Pure.
 *
 * @param length how many values fill the width
 * @param max the value at the upper edge
 */
export function linePath(values: readonly (number | null)[], length: number, max: number): string {
  const step = width / (length - 1);
  const first = length - values.length;
  let path = '';
  let drawing = false;
  values.forEach((value, index) => {
    if (value === null) {
      drawing = false;
      return;
    }
    const x = (first + index) * step;
    const y = height - 1 - Math.min(1, Math.max(0, max > 0 ? value / max : 0)) * (height - 2);
    path += `${drawing ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
    drawing = true;
  });
  return path;
}

export function sparkline(): SVGSVGElement {
  return svg(
    'svg',
    { class: 'spark', viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    svg('path', { fill: 'none', 'vector-effect': 'non-scaling-stroke' }),
  );
}

export function drawSparkline(node: Element, values: readonly (number | null)[], length: number, max: number): void {
  const path = node.querySelector('path');
  if (path !== null) set(path, 'd', linePath(values, length, max));
}
