/** Declares the commands that talk to a running primary. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { SignedTarget } from './orders/asked-by.ts';
import type { Target } from './find-data-dir.ts';
import type { LogsOptions } from './history/logs.ts';
import type { OrdersOptions } from './history/orders.ts';
import type { ExecOptions } from './orders/exec.ts';
import type { HostsOptions, RemoveOptions } from './orders/hosts.ts';
import type { HoldOptions } from './orders/maintenance.ts';
import type { ReloadOptions } from './orders/rolling.ts';
import type { RunsOptions } from './history/runs.ts';
import type { StatusOptions } from './status.ts';
import type { SyncOptions } from './sync/sync.ts';
import { nextTime } from './orders/next-time.ts';
import { statusOptions, targetOptions } from './options.ts';
import { parseDuration, parseSize } from '../config/values/units.ts';
import { isPassWord, passWordAllowed } from '../protocol/hold/pass.ts';
import { isPointer, itemsWords } from '../protocol/feed/json-pointer.ts';
import { maxDeletesWords, parseMaxDeletes, type MaxDeletes } from '../protocol/feed/max-deletes.ts';

function time(value: string): number {
  if (/^(\d+|\d*\.\d+)$/.test(value)) throw new InvalidArgumentError(`A time needs a unit. Did you mean ${value}m?`);
  const parsed = parseDuration(value);
  if (parsed === undefined || parsed === 0)
    throw new InvalidArgumentError("It takes a time such as '90s', '10m' or '2h'.");
  return parsed;
}

function clockTime(value: string): Date {
  const found = nextTime(value, new Date());
  if (found instanceof Date) return found;
  throw new InvalidArgumentError(found);
}

function passWord(value: string): string {
  if (isPassWord(value)) return value;
  throw new InvalidArgumentError(`It takes ${passWordAllowed}.`);
}

function deletes(value: string): MaxDeletes {
  const parsed = parseMaxDeletes(value);
  if (parsed === undefined) throw new InvalidArgumentError(`It takes ${maxDeletesWords}.`);
  return parsed;
}

function pointer(value: string): string {
  if (!isPointer(value)) throw new InvalidArgumentError(`It takes ${itemsWords}.`);
  return value;
}

function bytes(value: string): number {
  const parsed = parseSize(value);
  if (parsed === undefined) throw new InvalidArgumentError("It takes a size such as '512M' or '2G'.");
  return parsed;
}

function listed(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function count(least: number, most: number): (value: string) => number {
  return (value) => {
    const parsed = /^\d+$/.test(value) ? Number(value) : Number.NaN;
    if (parsed >= least && parsed <= most) return parsed;
    throw new InvalidArgumentError(`It takes a whole number from ${least} to ${most}.`);
  };
}

function workers(value: string): number | string {
  return /^[+-]\d{1,4}$/.test(value) && Number(value) !== 0 ? value : count(1, 1024)(value);
}

/** Called when a command has ended; without an exit code if it has done what it was to do. */
export type Done = (code: number | void) => void;

export function addOperatorCommands(program: Command, done: Done): void {
  const command = (words: string, description: string, parent = program, options = targetOptions): Command => {
    const added = parent.command(words).description(description);
    for (const option of options) added.option(...option);
    return added;
  };

  const signed = (words: string, description: string, parent = program): Command =>
    command(words, description, parent).option('--by <name>', "who asks, for the record (default: the user's name)");

  command('status', 'show what the cluster is doing', program, [...targetOptions, ...statusOptions]).action(
    async (options: StatusOptions) => done(await (await import('./status.ts')).status(options)),
  );

  const maintenance = program.command('maintenance').description('shut the gates: on, off, status').helpCommand(false);
  signed('on', 'refuse requests until it is turned off; ends when none is at work any more', maintenance)
    .option('--here', 'hold this host alone, where there are several (default: all of them)')
    .option('--reason <text>', 'shown to those who are refused')
    .option('--for <duration>', 'end by itself, such as after 10m', time)
    .option('--at <time>', 'begin by itself: the next 02:00, or 2026-11-28T02:00', clockTime)
    .option('--secret [word]', 'print a link by which one passes the hold (default: a new word)', passWord)
    .option('--timeout <duration>', 'wait so long, then take it back and end with 6 (default: drain_timeout)', time)
    .option('--keep', 'keep the hold when that time is over')
    .option('--no-wait', 'end at once, while requests may still be at work')
    .action(async (options: HoldOptions) =>
      done(await (await import('./orders/maintenance.ts')).maintenanceOn(options)),
    );
  signed('off', 'open the gates', maintenance)
    .option('--here', 'end the hold of this host alone, where there are several')
    .action(async (options: SignedTarget & { here?: boolean }) =>
      done(await (await import('./orders/maintenance.ts')).maintenanceOff(options)),
    );
  command('status', 'show whether it is on, why and until when', maintenance).action(async (options: Target) =>
    done(await (await import('./orders/maintenance.ts')).maintenanceStatus(options)),
  );

  signed('exec', 'hold the site, run a command while nothing else is at work, release it')
    .usage('[options] -- <command...>')
    .argument('<command...>', 'the command and its arguments, after --')
    .option('--reason <text>', 'shown to those who are refused')
    .option(
      '--timeout <duration>',
      'wait so long for requests in flight, then end with 6 (default: drain_timeout)',
      time,
    )
    .option('--keep-on-failure', 'stay held if the command fails, or if its end is unknown')
    .action(async (words: string[], options: ExecOptions) =>
      done(await (await import('./orders/exec.ts')).exec(words, options)),
    );

  command('sync', 'send a feed to the running app, and print the report')
    .argument(
      '<feed>',
      'a file of JSON, NDJSON (.ndjson, .jsonl) or CSV (.csv), also .gz, .br or .zst; - for standard input; or its http(s) address',
    )
    .option('--url <url>', "the app's address, or the whole one of its mirror route (default: where it listens)")
    .option('--token <token>', 'the bearer token (default: QUIESCE_SYNC_TOKEN)')
    .option('--ndjson', 'the feed is NDJSON, whatever its name')
    .addOption(new Option('--csv', 'the feed is CSV with a header, whatever its name').conflicts('ndjson'))
    .option('--header <header>', "sent where the feed is fetched: 'Name: value', may be repeated; ps shows it", listed)
    .option('--header-env <name>', 'the same from the environment: Name=VARIABLE', listed)
    .option('--fetch-timeout <duration>', 'how long fetching may take (default: 10m)', time)
    .option('--fetch-max-bytes <size>', 'how much may be fetched (default: 1G)', bytes)
    .option('--dry-run', 'only show what would change')
    .option('--max-deletes <n>', 'how many documents it may delete: a number, or a share such as 50%', deletes)
    .option('--items <pointer>', 'where the array is in a JSON feed that is an object, such as /data/products', pointer)
    .option('--json', 'the report as JSON')
    .action(async (feed: string, options: SyncOptions) =>
      done(await (await import('./sync/sync.ts')).sync(feed, options)),
    );

  signed('reload', 'read the configuration again, and replace every worker without a failed request')
    .option('--primary', 'replace the primary too, by the quiesce and the Node that run this command')
    .option('--wait', 'with --primary: wait for a run that goes on (default: end with 6)')
    .option('--dry-run', 'only show what the configuration would change')
    .option('--all', 'every host of the cluster, one after another, up to the first that fails')
    .action(async (options: ReloadOptions) =>
      done(await (await import('./orders/reload-each.ts')).reloadEach(options)),
    );
  signed('scale', 'run more or fewer workers')
    .argument('<n>', 'how many, or how many more or fewer: +1, -2', workers)
    .action(async (instances: number | string, options: SignedTarget) =>
      done(await (await import('./orders/rolling.ts')).scale(instances, options)),
    );
  signed('stop', 'stop the app, once what is in flight is finished')
    .option('--now', 'without waiting')
    .action(async (options: SignedTarget & { now?: boolean }) =>
      done(await (await import('./orders/stop.ts')).stop(options)),
    );

  const runs = command('runs', 'list the runs, show one, end one (runs cancel <id>) or give one up (runs abandon <id>)')
    .argument('[id]', 'one run, in full')
    .option('-n, --limit <n>', 'how many', count(1, 1000), 20)
    .option('--json', 'as JSON')
    .action(async (id: string | undefined, options: RunsOptions) =>
      done(await (await import('./history/runs.ts')).runs(id, options)),
    );
  // The options of a subcommand come after its name, those of `runs` before it; a flag of both goes to the subcommand.
  runs.enablePositionalOptions();
  signed('cancel', 'end a run that is going on; the worker of an exclusive handler is replaced', runs)
    .argument('<id>', 'the run')
    .action(async (id: string, _own: Target, self: Command) =>
      done(await (await import('./history/runs.ts')).cancel(id, self.optsWithGlobals<SignedTarget>())),
    );
  signed('abandon', 'give up a run that cannot be rolled forward', runs)
    .argument('<id>', 'the run')
    // A flag may stand before or after `abandon`.
    .action(async (id: string, _own: Target, self: Command) =>
      done(await (await import('./history/runs.ts')).abandon(id, self.optsWithGlobals<SignedTarget>())),
    );

  const hosts = command('hosts', 'list the hosts of the cluster, or take out a dead one (hosts remove <name>)')
    .option('--json', 'as JSON')
    .action(async (options: HostsOptions) => done(await (await import('./orders/hosts.ts')).hosts(options)));
  hosts.enablePositionalOptions();
  signed('remove', 'take a dead host out of the cluster, so that the others no longer wait for it', hosts)
    .argument('<name>', 'the host')
    .option('--yes', 'without a question')
    .action(async (name: string, _own: RemoveOptions, self: Command) =>
      done(await (await import('./orders/hosts.ts')).removeHost(name, self.optsWithGlobals<RemoveOptions>())),
    );

  const notify = program.command('notify').description('the receivers of notices: test');
  notify.helpCommand(false);
  command('test', 'send a test to each configured receiver', notify).action(async (options: Target) =>
    done(await (await import('./orders/notify.ts')).notifyTest(options)),
  );

  command('orders', 'list who held, released, reloaded, scaled, cancelled or stopped, and when')
    .option('-n, --limit <n>', 'how many', count(1, 100_000), 20)
    .option('--json', 'as JSON')
    .action(async (options: OrdersOptions) => done(await (await import('./history/orders.ts')).orders(options)));

  command('logs', 'print the log of the supervisor and the workers')
    .option('-f, --follow', 'and go on printing')
    .option('-n, --lines <n>', 'how many of the last lines', count(0, 1_000_000), 100)
    .option('--json', 'as JSON, also on a terminal')
    .option('--pretty', 'for people, also in a pipe')
    .action(async (options: LogsOptions) => done(await (await import('./history/logs.ts')).logs(options)));
}
