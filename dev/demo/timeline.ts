/** The story as it is told on the terminal. */
import { styleText } from 'node:util';
import { now } from './clock.ts';

const colours = process.stdout.isTTY && !process.env['NO_COLOR'];

export function styled(style: Parameters<typeof styleText>[0], text: string): string {
  return colours ? styleText(style, text) : text;
}

export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}

export function heading(text: string): void {
  print(`\n${styled('bold', text)}`);
}

export function number(value: number): string {
  return value.toLocaleString('en-US');
}

export function milliseconds(value: number): string {
  return value < 10 ? `${value.toFixed(1)} ms` : `${number(Math.round(value))} ms`;
}

/** Moments of one run, told in the order they happened, in seconds since its beginning. */
export class Timeline {
  readonly began: number = now();
  readonly #moments: { readonly at: number; readonly text: string }[] = [];

  add(at: number, text: string): void {
    this.#moments.push({ at, text });
  }

  print(): void {
    for (const { at, text } of this.#moments.toSorted((a, b) => a.at - b.at)) {
      print(`  ${styled('dim', `+${((at - this.began) / 1000).toFixed(3)} s`)}  ${text}`);
    }
  }
}

/** What the demo claims, each claim held against what was seen. */
export class Checks {
  readonly #claims: { readonly holds: boolean; readonly claim: string; readonly otherwise: string }[] = [];

  that(holds: boolean, claim: string, otherwise: string): void {
    this.#claims.push({ holds, claim, otherwise });
  }

  /** Prints them all; whether all hold. */
  print(): boolean {
    for (const { holds, claim, otherwise } of this.#claims) {
      print(holds ? `  ${styled('green', '✔')} ${claim}` : `  ${styled('red', '✘')} ${claim}: ${otherwise}`);
    }
    return this.#claims.every(({ holds }) => holds);
  }
}
