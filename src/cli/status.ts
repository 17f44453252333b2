import Table from 'cli-table3';
import { ControlClient } from './control-client.ts';
import { findDataDir, type Target } from './find-data-dir.ts';
import { duration, print, printJson, size, styled } from './output.ts';
import type { ClusterStatus } from '../protocol/runs.ts';

export async function status(options: Target & { json?: boolean }): Promise<number> {
  const now = await new ControlClient(await findDataDir(options)).status();
  if (options.json) printJson(now);
  else print(renderStatus(now));
  return 0;
}

const stateColour = {
  serving: 'green',
  starting: 'cyan',
  draining: 'yellow',
  quiesced: 'yellow',
  stopping: 'magenta',
  waiting: 'red',
} as const;

/** The status as an operator reads it. */
export function renderStatus(now: ClusterStatus): string {
  const colour = now.phase === 'serving' ? 'green' : 'yellow';
  const lines = [`${styled('bold', now.name)}  ${styled(colour, now.phase)}  epoch ${now.epoch}  pid ${now.pid}`];
  for (const hold of now.holds) {
    const until = hold.until === undefined ? '' : ` until ${hold.until}`;
    lines.push(
      `hold: ${styled('yellow', hold.kind)} since ${hold.since}${until}${hold.reason === '' ? '' : `: ${hold.reason}`}`,
    );
  }
  lines.push(workerTable(now));
  for (const { slot, method, path, age, clientGone } of now.waitingFor) {
    lines.push(
      `waiting for ${method} ${path} in slot ${slot}, ${duration(age)}${clientGone ? ', its client has gone' : ''}`,
    );
  }
  if (now.run !== null) {
    const { id, kind, state, startedAt, progress, report, error } = now.run;
    const far =
      progress === undefined
        ? ''
        : `, ${progress.step} ${progress.done}${progress.total === undefined ? '' : ` of ${progress.total}`}`;
    const what =
      report === undefined
        ? ''
        : `, ${Object.entries(report.counts)
            .map(([name, count]) => `${count} ${name}`)
            .join(', ')}`;
    lines.push(
      `run: ${id} (${kind}) ${state} since ${startedAt}${far}${what}${error === undefined ? '' : `: ${error.detail}`}`,
    );
  }
  return lines.join('\n');
}

function workerTable(now: ClusterStatus): string {
  const right = 'right' as const;
  const table = new Table({
    head: ['slot', 'pid', 'state', 'in flight', 'cpu', 'memory', 'loop delay', 'restarts', 'uptime'],
    colAligns: [right, right, 'left', right, right, right, right, right, right],
    style: { head: [], border: [], compact: true },
    chars: {
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      right: '',
      middle: ' ',
    },
  });
  for (const worker of now.workers) {
    table.push([
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
  }
  return table.toString();
}
