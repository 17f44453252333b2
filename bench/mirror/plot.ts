/** A small line chart as SVG, readable on light and dark pages. Both axes are logarithmic; 0 stands at the left end. */
export interface Line {
  readonly name: string;
  readonly points: [x: number, y: number][];
}

const width = 720;
const height = 400;
const left = 60;
const right = 150;
const top = 20;
const bottom = 50;
const colours = ['#7f7f7f', '#bcbd22', '#d62728', '#ff7f0e', '#9467bd', '#8c564b', '#1f77b4', '#2ca02c', '#17becf'];
const smallestShare = 0.03;
const smallestRatio = 0.003;

export function plot(lines: readonly Line[], yTitle: string, xTitle: string): string {
  const all = lines.flatMap(({ points }) => points);
  const maxY = Math.max(1, ...all.map(([, y]) => y));
  const scale = (value: number, from: number, to: number, start: number, end: number): number =>
    start + (Math.log(Math.max(value, from) / from) / Math.log(to / from)) * (end - start);
  const x = (value: number): string => scale(value, smallestShare, 100, left, width - right).toFixed(1);
  const y = (value: number): string => scale(value, smallestRatio, maxY * 1.2, height - bottom, top).toFixed(1);
  const grid = [0.01, 0.1, 1, 10]
    .filter((value) => value < maxY * 1.2)
    .map(
      (value) =>
        `<line x1="${left}" x2="${width - right}" y1="${y(value)}" y2="${y(value)}" stroke="#8884"/><text x="${left - 8}" y="${y(value)}" dy="4" text-anchor="end">${value}</text>`,
    );
  const ticks = [0, 0.1, 1, 10, 100].map(
    (value) => `<text x="${x(value)}" y="${height - bottom + 18}" text-anchor="middle">${value}</text>`,
  );
  const drawn = lines.map(({ name, points }, i) => {
    const colour = colours[i % colours.length]!;
    const path = points.map(([px, py]) => `${x(px)},${y(py)}`).join(' ');
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/><text x="${width - right + 10}" y="${top + 14 + i * 18}" fill="${colour}">${name}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#888">
${[...grid, ...ticks, ...drawn].join('\n')}
<text x="${(left + width - right) / 2}" y="${height - 8}" text-anchor="middle">${xTitle}</text>
<text transform="translate(14 ${height / 2}) rotate(-90)" text-anchor="middle">${yTitle}</text>
</svg>
`;
}
