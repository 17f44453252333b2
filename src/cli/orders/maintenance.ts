/** `quiesce maintenance on|off|status`. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { askedBy, type SignedTarget } from './asked-by.ts';
import { ControlClient } from '../control-client.ts';
import { findDataDir, type Target } from '../find-data-dir.ts';
import { counted, print, say, warn } from '../output.ts';
import { describeScheduled } from './scheduled-text.ts';
import { QuiesceError } from '../../errors.ts';
import type { ClusterStatus, HoldStatus } from '../../protocol/api/runs.ts';
import { passPath } from '../../protocol/hold/pass.ts';
import { visibleIn } from '../../protocol/visible.ts';

export interface HoldOptions extends SignedTarget {
  readonly reason?: string;
  readonly for?: number;
  readonly at?: Date;
  readonly here?: boolean;
  readonly timeout?: number;
  readonly keep?: boolean;
  readonly wait: boolean;
  /** True for a word that nobody has chosen. */
  readonly secret?: string | true;
}

/** If the drain takes longer than this, a message names what it waits for, ms. */
const patience = 700;
/** 128 + SIGINT, as in a shell. */
const interrupted = 130;

/**
 * Returns when no request is in flight. If requests do not end in time, the hold is cancelled and the error names them.
 * A hold that starts later (`at`) is only stored.
 */
export async function maintenanceOn(options: HoldOptions): Promise<void> {
  const { reason, for: limit, at, timeout, keep = false } = options;
  if (at !== undefined && (timeout !== undefined || keep))
    throw new QuiesceError('bad-usage', '--timeout and --keep say how to wait, and --at does not: such a hold stays.');
  const wait = options.wait && at === undefined;
  if (!options.wait && (timeout !== undefined || keep))
    throw new QuiesceError('bad-usage', '--timeout and --keep say how to wait, and --no-wait does not.');
  const secret = options.secret === true ? randomBytes(18).toString('base64url') : options.secret;
  const client = new ControlClient(await findDataDir(options));
  const held = client.maintenance({
    on: true,
    ...(options.here === undefined ? {} : { here: options.here }),
    ...(reason === undefined ? {} : { reason }),
    ...(limit === undefined ? {} : { for: limit }),
    ...(at === undefined ? {} : { at: at.toISOString() }),
    ...(secret === undefined ? {} : { secret }),
    ...(wait ? { wait, keep, ...(timeout === undefined ? {} : { timeout }) } : {}),
    ...askedBy(options),
  });
  try {
    tell(await (wait ? whileTelling(client, held, keep) : held));
    if (secret !== undefined) await printLinks(client, secret);
  } catch (error) {
    // The hold stays, so whoever asked needs the way in all the same.
    const stays = error instanceof QuiesceError && error.extra.held === true;
    if (secret !== undefined && stays) await printLinks(client, secret);
    throw error;
  }
}

async function printLinks(client: ControlClient, word: string): Promise<void> {
  for (const url of await client.urls()) print(`way in: ${new URL(passPath + word, url).href}`);
}

async function whileTelling(
  client: ControlClient,
  held: Promise<ClusterStatus>,
  keep: boolean,
): Promise<ClusterStatus> {
  const interrupt = (): void => {
    // The primary notices that the connection closed, and cancels the hold itself.
    say(
      keep
        ? 'interrupted: the hold stays. `quiesce maintenance off` ends it.'
        : 'interrupted: the hold is taken back, unless somebody else holds the site as well.',
    );
    process.exit(interrupted);
  };
  process.once('SIGINT', interrupt);
  const done = new AbortController();
  const telling = (async () => {
    await sleep(patience, undefined, { signal: done.signal });
    const { phase, waitingFor, run } = await client.status();
    if (done.signal.aborted) return;
    const what = phase === 'draining' ? counted(waitingFor.length, 'request') : `run ${run?.id}`;
    say(`waiting for ${what} to end …`);
  })();
  telling.catch(() => undefined); // aborted, or the answer itself reports the error
  try {
    return await held;
  } finally {
    done.abort();
    process.off('SIGINT', interrupt);
  }
}

export async function maintenanceOff({ here, ...options }: SignedTarget & { here?: boolean }): Promise<void> {
  const client = new ControlClient(await findDataDir(options));
  tell(await client.maintenance({ on: false, ...(here === undefined ? {} : { here }), ...askedBy(options) }));
}

export async function maintenanceStatus(options: Target): Promise<void> {
  tell(await new ControlClient(await findDataDir(options)).status());
}

function tell(status: ClusterStatus): void {
  print(describe(status));
  for (const warning of status.warnings ?? []) warn(warning);
}

function describe(status: ClusterStatus): string {
  const { holds, phase, scheduled, hosts } = visibleIn(status);
  const lines = holds.filter(({ kind }) => kind === 'operator').map((hold) => describeHold(hold, status));
  if (lines.length === 0) lines.push(`maintenance: off (${phase})`);
  if (scheduled !== undefined) lines.push(describeScheduled(scheduled));
  const late = (hosts ?? []).filter(({ state, here }) => !here && (state === 'draining' || state === 'away'));
  if (late.length > 0 && holds.some(({ allHosts }) => allHosts))
    lines.push(`not at rest: ${late.map(({ name, state }) => `${name} (${state})`).join(', ')}`);
  return lines.join('\n');
}

function describeHold(hold: HoldStatus, { phase, waitingFor, hosts }: ClusterStatus): string {
  const { since, reason, by, wayIn, allHosts } = hold;
  const where = hosts === undefined ? '' : allHosts ? ' for all hosts' : ' for this host alone';
  const until = hold.until === undefined ? 'until it is turned off' : `until ${hold.until}`;
  const who = by === undefined ? '' : ` by ${by}`;
  const waits = waitingFor.length === 0 ? '' : `, waiting for ${counted(waitingFor.length, 'request')}`;
  return `maintenance: on${where} since ${since}${who}, ${until} (${phase}${waits})${wayIn === true ? '; there is a way in' : ''}${reason === '' ? '' : `: ${reason}`}`;
}
