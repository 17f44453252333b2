/** Shows the phase with its reason and start, the requests that a drain waits for, and the tab's title and icon. */
import type { ClusterStatus, HoldStatus, WaitingRequest } from '#quiesce/protocol/api/runs.js';
import { row, sayCell, type Column } from '../parts/cells.ts';
import { byId, each, el, say, set } from '../parts/dom.ts';
import { age, capitalized, clock, count, duration, phaseWords } from '../parts/format.ts';
import { phaseSince, presentPause, type Model } from '../live/model.ts';
import { holdKinds } from '../vendor/words.ts';

export interface Connection {
  readonly state: 'connecting' | 'live' | 'lost';
  /** When the last event came, by the browser's clock; epoch ms. */
  readonly lastData: number | null;
}

const waitingColumns: Column[] = [
  { label: 'Request', wide: true },
  { label: 'Slot', number: true },
  { label: 'Runs for', number: true },
  { label: 'Client', wide: true },
];

/** @param now the primary's clock, epoch ms */
export function showHeadline(model: Model, connection: Connection, now: number): void {
  const { status } = model;
  const live = connection.state === 'live' && status !== null;
  const phase = live ? status.phase : 'unknown';
  const word = live ? phaseWords[status.phase] : '';
  set(document.documentElement, 'data-phase', phase);
  set(document.documentElement, 'data-connection', connection.state);
  say(byId('phase'), live ? capitalized(word) : lostWord(connection, model));
  say(byId('phase-detail'), live ? phaseDetail(model, now) : lostDetail(connection, model));
  say(byId('announcer'), live ? `The cluster is ${word}.` : lostWord(connection, model));
  say(
    byId('connection'),
    live ? 'live' : connection.state === 'lost' ? 'connection lost, trying again' : 'connecting …',
  );
  const name = status?.name ?? 'quiesce';
  say(byId('name'), name);
  say(byId('instance'), status === null ? '' : `primary ${status.pid}`);
  const title = live ? `${capitalized(word)} · ${name}` : `No data · ${name}`;
  if (document.title !== title) document.title = title;
  set(byId('icon'), 'href', `/assets/icon-${phase}.svg`);
  showHolds(live ? shownHolds(status, now) : []);
  showWaiting(live ? status.waitingFor : []);
}

function phaseDetail(model: Model, now: number): string {
  const status = model.status!;
  const since = phaseSince(model);
  const pause = presentPause(model);
  if (status.phase === 'serving') {
    const last = model.pauses.at(-1);
    const before =
      last?.to === undefined ? '' : ` The last pause took ${duration(Date.parse(last.to) - Date.parse(last.from))}.`;
    return `since ${clock(since, now)}, for ${age(now - since)}.${before}`;
  }
  const refused = pause === undefined || pause.refused === 0 ? '' : ` ${count(pause.refused)} requests refused so far.`;
  if (status.phase === 'draining') {
    const left = status.workers.reduce((sum, { state, inFlight }) => sum + (state === 'draining' ? inFlight : 0), 0);
    return `for ${age(now - since)}: ${requests(left)} in flight must finish.${refused}`;
  }
  return `since ${clock(since, now)}, for ${age(now - since)}: no request runs.${refused}`;
}

function requests(number: number): string {
  return number === 1 ? '1 request' : `${number} requests`;
}

function lostWord({ lastData }: Connection, { clockOffset }: Model): string {
  if (lastData === null) return 'No data yet';
  return `No data since ${clock(lastData + clockOffset, Date.now() + clockOffset)}`;
}

function lostDetail({ state, lastData }: Connection, { status }: Model): string {
  if (lastData === null) return state === 'lost' ? 'Nobody answers at this address. Trying again.' : '';
  const known =
    status === null ? '' : `When last seen, ${age(Date.now() - lastData)} ago, it was ${phaseWords[status.phase]}. `;
  return `${known}The primary is gone or cannot be reached; what is below is old.`;
}

interface ShownHold {
  readonly kind: HoldStatus['kind'];
  readonly what: string;
  readonly why: string;
  readonly when: string;
}

function shownHolds({ holds, scheduled }: ClusterStatus, now: number): ShownHold[] {
  const later = (time: string): string =>
    `${clock(Date.parse(time), now, false)} (in ${age(Math.max(0, Date.parse(time) - now))})`;
  const whose = (by: string | undefined): string => (by === undefined ? '' : ` by ${by}`);
  const shown = holds.map(({ kind, reason, since, until, by, wayIn, allHosts }): ShownHold => {
    const end =
      until === undefined ? (kind === 'operator' ? ', until somebody resumes' : '') : `, until ${later(until)}`;
    const when = `since ${clock(Date.parse(since), now)}${whose(by)}${end}${wayIn === true ? ', with a link that lets its holder pass' : ''}`;
    const what = allHosts === true ? `${holdKinds[kind]}, all hosts` : holdKinds[kind];
    return { kind, what, why: reason, when };
  });
  if (scheduled === undefined) return shown;
  const { at, until, reason = '', by } = scheduled;
  const end = until === undefined ? ', until somebody resumes' : `, until ${clock(Date.parse(until), now, false)}`;
  const when = `from ${later(at)}${whose(by)}${end}`;
  return [...shown, { kind: 'operator', what: 'Scheduled', why: reason, when }];
}

function showHolds(holds: readonly ShownHold[]): void {
  const list = byId('holds');
  set(list, 'hidden', holds.length === 0);
  each(
    list,
    holds,
    (hold) => hold.what,
    () => el('li', {}, el('span', { class: 'kind' }), el('span', { class: 'reason' }), el('span', { class: 'muted' })),
    (item, { kind, what, why, when }) => {
      const [first, second, third] = item.children;
      set(first!, 'data-kind', kind);
      say(first!, what);
      say(second!, why);
      say(third!, when);
    },
  );
}

function showWaiting(waiting: readonly WaitingRequest[]): void {
  set(byId('waiting'), 'hidden', waiting.length === 0);
  if (waiting.length === 0) return;
  say(byId('waiting-title'), `Waiting for ${requests(waiting.length)}`);
  each(
    byId('waiting-rows'),
    waiting.map((request, index) => ({ ...request, index })),
    ({ index }) => String(index),
    () => row(waitingColumns),
    (tr, { method, path, slot, age: time, clientGone }) => {
      sayCell(tr, 0, `${method} ${path}`);
      sayCell(tr, 1, String(slot));
      sayCell(tr, 2, duration(time));
      sayCell(tr, 3, clientGone ? 'has gone; the handler runs on' : 'waits');
    },
  );
}

export function kindName(kind: HoldStatus['kind']): string {
  return holdKinds[kind];
}
