/** Shows the history of runs; each row opens to its report. */
import type { Counts, RunRecord } from '#quiesce/protocol/api/runs.js';
import { toggled } from '../place/address.ts';
import { getRun } from '../live/api.ts';
import { row, sayCell, sayState, type Column } from '../parts/cells.ts';
import { byId, each, el, set } from '../parts/dom.ts';
import { clock, count, duration } from '../parts/format.ts';
import { More } from '../parts/more.ts';
import { presentRun, type Model } from '../live/model.ts';
import type { Navigation } from '../place/navigation.ts';
import { notify } from '../parts/notices.ts';
import { mirrorText, originText } from '../vendor/mirror-text.ts';
import { reportRow } from './view-report.ts';

const columns: Column[] = [
  { label: 'Began' },
  { label: 'State' },
  { label: 'Items', number: true },
  { label: 'Changes', wide: true },
  { label: 'Paused for', number: true },
  { label: 'Took', number: true },
];
const width = columns.length + 1;

type Line = { readonly run: RunRecord; readonly report: boolean };

export class RunsView {
  readonly #navigation: Navigation;
  readonly #onChange: () => void;
  readonly #more: More;
  /** Runs that a link names and the event stream does not tell of; null while one is being read. */
  readonly #older = new Map<string, RunRecord | null>();

  constructor(navigation: Navigation, onChange: () => void) {
    this.#navigation = navigation;
    this.#onChange = onChange;
    this.#more = new More('more-runs', 'runs', onChange);
  }

  /** @param now the primary's clock, epoch ms */
  show(model: Model, now: number): void {
    const present = presentRun(model);
    const open = this.#navigation.address.runs;
    const known = model.runs.map((run) => (run.id === present?.id ? present : run));
    const runs = this.#more.first([...known, ...this.#olderThan(known, model.startedAt > 0)], ({ id }) =>
      open.includes(id),
    );
    set(byId('no-runs'), 'hidden', runs.length > 0);
    each(
      byId('run-rows'),
      runs.flatMap((run): Line[] => [
        { run, report: false },
        ...(open.includes(run.id) ? [{ run, report: true }] : []),
      ]),
      ({ run, report }) => (report ? `${run.id} report ${run.state}` : run.id),
      ({ run, report }) => (report ? reportRow(run, width, this.#navigation) : this.#row(run.id)),
      (tr, { run, report }) => {
        if (report) return;
        fillRow(tr, run, now);
        set(tr.querySelector('button')!, 'aria-expanded', String(open.includes(run.id)));
      },
    );
  }

  #row(id: string): HTMLTableRowElement {
    const tr = row(columns);
    const button = el('button', { type: 'button', class: 'link', 'aria-label': `Report of run ${id}` }, 'Report');
    button.addEventListener('click', () => this.#navigation.go({ runs: toggled(this.#navigation.address.runs, id) }));
    tr.append(el('td', { role: 'cell', class: 'number' }, button));
    return tr;
  }

  /** Returns the runs that are open and not known, as far as they have been read. @param ready the known ones are here */
  #olderThan(known: readonly RunRecord[], ready: boolean): RunRecord[] {
    if (!ready) return [];
    const missing = this.#navigation.address.runs.filter((id) => !known.some((run) => run.id === id));
    return missing.flatMap((id) => {
      const run = this.#older.get(id);
      if (run === undefined) void this.#read(id);
      return run ?? [];
    });
  }

  async #read(id: string): Promise<void> {
    this.#older.set(id, null);
    try {
      this.#older.set(id, await getRun(id));
    } catch (error) {
      notify((error as Error).message, true);
      this.#older.delete(id);
      this.#navigation.go({ runs: this.#navigation.address.runs.filter((each) => each !== id) }, 'replace');
    }
    this.#onChange();
  }
}

function fillRow(tr: HTMLTableRowElement, run: RunRecord, now: number): void {
  const { report } = run;
  sayCell(
    tr,
    0,
    clock(Date.parse(run.startedAt), now),
    [mirrorText(run.collection, run.scope), originText(run)].filter(Boolean).join(' ← '),
  );
  sayState(tr, 1, run.state, run.state, run.error?.code ?? '');
  sayCell(tr, 2, report === undefined ? '–' : count(report.feed.items));
  sayCell(tr, 3, report === undefined ? '–' : changes(report.counts));
  sayCell(tr, 4, report === undefined ? '–' : duration(report.timings.paused));
  sayCell(tr, 5, took(run));
}

function took({ startedAt, endedAt, report }: RunRecord): string {
  if (report !== undefined) return duration(report.timings.total);
  return endedAt === undefined ? '–' : duration(Date.parse(endedAt) - Date.parse(startedAt));
}

function changes({ inserted, updated, deleted }: Counts): string {
  if (inserted + updated + deleted === 0) return 'none';
  const parts = [
    [inserted, 'new'],
    [updated, 'changed'],
    [deleted, 'gone'],
  ] as const;
  return parts
    .filter(([number]) => number > 0)
    .map(([number, name]) => `${count(number)} ${name}`)
    .join(', ');
}
