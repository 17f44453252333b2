/** What a campaign has met so far. In a file, a campaign that was broken off, or failed, goes on where it was. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { table } from '#quiesce/cli/table.js';

export interface Moment {
  readonly victim: string;
  /** Of the moment among all. */
  readonly index: number;
  /** The line of the log that it follows. */
  readonly step: string;
  /** Whether the victim was still there. */
  readonly killed: boolean;
  /** ms until the site was whole again. */
  readonly took: number;
}

export class Met {
  readonly #file: string | undefined;
  readonly #moments: Moment[];

  constructor(file: string | undefined) {
    this.#file = file;
    const text = file !== undefined && existsSync(file) ? readFileSync(file, 'utf8') : '';
    this.#moments = text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Moment);
  }

  has(victim: string, index: number): boolean {
    return this.#moments.some((each) => each.victim === victim && each.index === index);
  }

  add(moment: Moment): void {
    this.#moments.push(moment);
    if (this.#file !== undefined) appendFileSync(this.#file, `${JSON.stringify(moment)}\n`);
  }

  /** A row for each step that was met and one for all: how often each victim was killed there, of how many moments. */
  table(steps: readonly string[], victims: readonly string[]): string {
    const row = (name: string, of: (moment: Moment) => boolean): string[] => {
      const here = this.#moments.filter(of);
      const cells = victims.map((victim) => {
        const own = here.filter((each) => each.victim === victim);
        return `${own.filter(({ killed }) => killed).length} of ${own.length}`;
      });
      const longest = Math.max(0, ...here.map(({ took }) => took));
      return [name, ...cells, (longest / 1000).toFixed(1)];
    };
    const tried = steps.filter((step) => this.#moments.some((each) => each.step === step));
    const rows = tried.map((step) => row(step, (moment) => moment.step === step));
    const head = ['after', ...victims, 'longest, s'];
    const numbers = head.map((_, column) => column).slice(1);
    return stripVTControlCharacters(table(head, [...rows, row('all', () => true)], numbers));
  }
}
