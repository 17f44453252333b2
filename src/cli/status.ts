/** `quiesce status`: shows the state of an app. */
import { ControlClient } from './control-client.ts';
import { findDataDirs, several, type Target } from './find-data-dir.ts';
import { duration, print, printJson, size, styled } from './output.ts';
import { describeRun } from './history/run-text.ts';
import { hostTable } from './orders/host-table.ts';
import { describeScheduled } from './orders/scheduled-text.ts';
import { sourceTable } from './orders/source-table.ts';
import { table } from './table.ts';
import { QuiesceError } from '../errors.ts';
import { visible, visibleIn } from '../protocol/visible.ts';
import type { ClusterStatus } from '../protocol/api/runs.ts';

export interface StatusOptions extends Target {
  readonly json?: boolean;
  readonly watch?: boolean;
}

export async function status(options: StatusOptions): Promise<void> {
  const folders = await findDataDirs(options);
  // Several apps are printed one after another; JSON and the live view are for a single app.
  const [dataDir, ...others] = folders;
  if (dataDir === undefined || (others.length > 0 && (options.json || options.watch))) throw several(folders);
  if (options.watch) return watch(new ControlClient(dataDir), options.json ?? false);
  const all = await Promise.all(folders.map(async (folder) => new ControlClient(folder).status()));
  if (options.json) printJson(all[0]);
  else print(all.map(renderStatus).join('\n\n'));
}

/**
 * Prints until the primary ends or the reader closes the pipe. On a terminal, each status replaces the last. A primary that
 * has handed over ends its stream, and its successor answers at once.
 */
async function watch(client: ControlClient, json: boolean): Promise<never> {
  for (let before: number | null = null, pid = await show(client, json); pid !== before;) {
    before = pid;
    pid = await show(client, json).catch((error: unknown) => {
      if (error instanceof QuiesceError && error.code === 'no-primary') return before;
      throw error;
    });
  }
  throw new QuiesceError('no-primary', `The primary in ${client.dataDir} has ended.`);
}

/** Returns the pid of the primary that has ended its stream; null where it said nothing. */
async function show(client: ControlClient, json: boolean): Promise<number | null> {
  let pid: number | null = null;
  for await (const now of client.watch()) {
    ({ pid } = now);
    if (json) print(visible(JSON.stringify(now)));
    else print(`${process.stdout.isTTY ? '\u001b[H\u001b[J' : ''}${renderStatus(now)}`);
  }
  return pid;
}

const stateColour = {
  serving: 'green',
  starting: 'cyan',
  draining: 'yellow',
  quiesced: 'yellow',
  stopping: 'magenta',
  waiting: 'red',
} as const;

/** Formats the status for an operator. */
export function renderStatus(given: ClusterStatus): string {
  const now = visibleIn(given);
  const colour = now.phase === 'serving' ? 'green' : 'yellow';
  const lines = [`${styled('bold', now.name)}  ${styled(colour, now.phase)}  epoch ${now.epoch}  pid ${now.pid}`];
  for (const hold of now.holds) {
    const where =
      now.hosts === undefined || hold.kind !== 'operator' ? '' : hold.allHosts ? ' of all hosts' : ' of this host';
    const until = hold.until === undefined ? '' : ` until ${hold.until}`;
    const by = hold.by === undefined ? '' : ` by ${hold.by}`;
    lines.push(
      `hold: ${styled('yellow', hold.kind)}${where} since ${hold.since}${by}${until}${hold.reason === '' ? '' : `: ${hold.reason}`}`,
    );
  }
  if (now.scheduled !== undefined) lines.push(styled('yellow', describeScheduled(now.scheduled)));
  for (const warning of now.warnings ?? []) lines.push(styled('red', `warning: ${warning}`));
  if (now.hosts !== undefined) lines.push(hostTable(now.hosts));
  lines.push(workerTable(now), ...lastExits(now));
  for (const { slot, method, path, age, clientGone } of now.waitingFor) {
    lines.push(
      `waiting for ${method} ${path} in slot ${slot}, ${duration(age)}${clientGone ? ', its client has gone' : ''}`,
    );
  }
  if (now.sources !== undefined) lines.push(sourceTable(now.sources, Date.now()));
  if (now.run !== null) lines.push(`run: ${describeRun(now.run)}`);
  return lines.join('\n');
}

/** Lists why slots recently lost their workers, and when a waiting slot tries the next one. */
function lastExits({ workers }: ClusterStatus): string[] {
  const told = workers.filter(({ slot, state }, index) => {
    // One line for each slot, even if it has two workers.
    return state === 'waiting' || workers.findIndex((each) => each.slot === slot) === index;
  });
  return told.flatMap(({ slot, lastExit, nextTry }) => {
    if (lastExit === undefined) return [];
    const { incarnation, cause, code, signal, reason, at } = lastExit;
    const ago = duration(Math.max(0, Date.now() - Date.parse(at)));
    const how = `slot ${slot}: worker ${slot}.${incarnation} ended with ${signal ?? `code ${code}`} ${ago} ago (${cause})`;
    const next =
      nextTry === undefined ? '' : `; next try in ${duration(Math.max(0, Date.parse(nextTry) - Date.now()))}`;
    return `${how}${next}${reason === undefined ? '' : `: ${lastLine(reason)}`}`;
  });
}

/** Returns the first line of a stack that names the error; if there is none, the last line. */
function lastLine(reason: string): string {
  const lines = reason.split('\n').filter((line) => line.trim() !== '');
  return lines.find((line) => /^\w*(Error|Exception)\b/.test(line)) ?? lines.at(-1) ?? '';
}

function workerTable(now: ClusterStatus): string {
  const head = ['slot', 'pid', 'state', 'in flight', 'cpu', 'memory', 'loop delay', 'restarts', 'uptime'];
  const rows = now.workers.map((worker) => [
    `${worker.slot}.${worker.incarnation}`,
    worker.pid ?? '',
    styled(stateColour[worker.state], worker.state),
    worker.inFlight,
    `${worker.cpu.toFixed(0)} %`,
    size(worker.memory),
    `${worker.eventLoopDelay.toFixed(1)} ms`,
    worker.restarts,
    duration(worker.uptime),
  ]);
  return table(head, rows, [0, 1, 3, 4, 5, 6, 7, 8]);
}
