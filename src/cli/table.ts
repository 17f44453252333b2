/** A table without lines, for a terminal. */
import { stripVTControlCharacters } from 'node:util';
import { styled } from './output.ts';

/**
 * Its cells are plain ASCII, which may be coloured: a letter is a column wide.
 *
 * @param numbers the indexes of columns with numbers, which are aligned to the right
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  numbers: readonly number[],
): string {
  const all = [head.map((title) => styled('dim', title)), ...rows.map((row) => row.map(String))];
  const widths = head.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ''))));
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => padded(cell, widths[column] ?? 0, numbers.includes(column))).join('  ');
  return all.map((row) => line(row).trimEnd()).join('\n');
}

function padded(cell: string, to: number, right: boolean): string {
  const space = ' '.repeat(to - width(cell));
  return right ? space + cell : cell + space;
}

function width(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
