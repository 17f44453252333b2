/** Figures and where they are shown: each bench owns one section of a page of docs, between its markers. */
import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';

const pages = ['benchmarks.md', 'from-pm2.md'].map((name) => new URL(`../../docs/${name}`, import.meta.url));

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return { min: at(0), median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2, max: at(sorted.length - 1) };
}

/** Such as `1.02 (0.97–1.05)`. */
export function show({ min, median, max }: Spread, digits = 2): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/**
 * The section of a bench that is shown for each version of Node: V8 makes an Express app pay for something else on each.
 * Throws where docs have none for this version: call it before minutes are spent.
 */
export async function sectionFor(name: string): Promise<string> {
  const section = `${name}-${Number.parseInt(process.versions.node, 10)}`;
  await pageOf(section);
  return section;
}

/** The page that has this section, and its text. Throws where none has. */
async function pageOf(name: string): Promise<{ page: URL; text: string }> {
  for (const page of pages) {
    const text = await readFile(page, 'utf8');
    if (sectionOf(name).test(text)) return { page, text };
  }
  throw new Error(`no page of docs has a section for ${name}`);
}

function sectionOf(name: string): RegExp {
  return new RegExp(`<!-- bench:${name} -->[^]*<!-- /bench:${name} -->`);
}

/** Replaces the section of this name, and prints it. `script`: which makes it, where that has another name. */
export async function publish(name: string, body: string, script = name): Promise<void> {
  const machine = `Node ${process.version}, ${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${new Date().toISOString().slice(0, 10)}; \`npm run bench:${script}\`.`;
  const section = `<!-- bench:${name} -->\n${body}\n\n${machine}\n<!-- /bench:${name} -->`;
  const { page, text } = await pageOf(name);
  await writeFile(
    page,
    text.replace(sectionOf(name), () => section),
  );
  console.log(section);
}
