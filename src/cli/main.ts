#!/usr/bin/env node
/** The `quiesce` command: its flags and words. What each command does is in the file of its name. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { fail } from './fail.ts';
import { ignoreClosedPipe } from './output.ts';
import type { Target } from './find-data-dir.ts';
import type { SyncOptions } from './sync.ts';
import { exitCodes } from '../errors.ts';
import { parseDuration } from '../config/units.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

function time(value: string): number {
  const parsed = parseDuration(value);
  if (parsed === undefined || parsed === 0)
    throw new InvalidArgumentError("It takes a time such as '90s', '10m' or '2h'.");
  return parsed;
}

/** Each command returns its exit code, and is imported only when it is called: commands start in a moment. */
function buildProgram(done: (code: number) => void): Command {
  const program = new Command('quiesce')
    .description('Runs an Express app on every core, and brings all of it to rest for one exclusive job.')
    .version(version, '-V, --version')
    .exitOverride()
    .showHelpAfterError('Run with --help to see what there is.')
    .addHelpText(
      'after',
      '\nExample:\n  $ quiesce start app.js -i max\n\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 already running, 4 no boot, 5 no primary, 6 refused, 7 no database',
    );

  const command = (words: string, description: string): Command =>
    program.command(words).description(description).exitOverride();
  const targeted = (made: Command): Command =>
    made
      .option('--data-dir <dir>', 'the data directory of the running app (default: .quiesce/<app name>)')
      .option('--only <name>', 'which app, where several run here')
      .option('--config <file>', 'the configuration it was started with, where it is not here');

  command('start', 'run an app in the foreground')
    .argument('[file]', 'an ecosystem configuration or a script (default: ./ecosystem.config.js)')
    .option('--only <name>', 'only this app of the file')
    .option('--env <name>', 'add the variables of env_<name>')
    .option('-i, --instances <n>', "workers: a number, 'max', 0, or -n for all cores but n")
    .option('--port <n>', 'PORT for the app')
    .option('--data-dir <dir>', 'where lock, control socket and journal are (default: .quiesce/<app name>)')
    .action(async (file: string | undefined, options: Record<string, string>) =>
      done(await (await import('./start.ts')).start(file, options)),
    );

  targeted(command('status', 'what the cluster is doing'))
    .option('--json', 'as JSON')
    .action(async (options: Target & { json?: boolean }) => done(await (await import('./status.ts')).status(options)));

  const maintenance = command('maintenance', 'the operator hold: requests are refused while it is on');
  const maintenanceCommand = (words: string, description: string): Command =>
    targeted(maintenance.command(words).description(description).exitOverride());
  maintenanceCommand('on', 'shut the gates; a sync still runs')
    .option('--reason <text>', 'shown to those who are refused')
    .option('--for <duration>', 'ends by itself, such as 10m', time)
    .action(async (options: Target & { reason?: string; for?: number }) =>
      done(await (await import('./maintenance.ts')).maintenanceOn(options)),
    );
  maintenanceCommand('off', 'open the gates').action(async (options: Target) =>
    done(await (await import('./maintenance.ts')).maintenanceOff(options)),
  );
  maintenanceCommand('status', 'whether it is on, why and until when').action(async (options: Target) =>
    done(await (await import('./maintenance.ts')).maintenanceStatus(options)),
  );

  targeted(command('sync', 'send a feed to the running app and print the report'))
    .argument('<feed>', 'a file of JSON or NDJSON (.ndjson, .jsonl), also .gz, .br or .zst; - for standard input')
    .option(
      '--url <url>',
      'the app, or the whole address of its mirror route (default: where the primary says it listens)',
    )
    .option('--token <token>', 'the bearer token (default: QUIESCE_SYNC_TOKEN)')
    .option('--ndjson', 'the feed is NDJSON, whatever its name')
    .option('--dry-run', 'only tell what would change')
    .option('--json', 'the report as JSON')
    .action(async (feed: string, options: SyncOptions) => done(await (await import('./sync.ts')).sync(feed, options)));

  targeted(command('stop', 'stop the app gracefully'))
    .option('--now', 'without waiting for requests in flight')
    .action(async (options: Target & { now?: boolean }) => done(await (await import('./stop.ts')).stop(options)));

  command('validate', 'check a configuration and tell what each app will do')
    .argument('[file]', 'an ecosystem configuration or a script (default: ./ecosystem.config.js)')
    .option('--env <name>', 'with the variables of env_<name>')
    .option('--only <name>', 'only this app of the file')
    .option('--json', 'as JSON')
    .action(async (file: string | undefined, options: { env?: string; only?: string; json?: boolean }) =>
      done(await (await import('./validate.ts')).validate(file, options)),
    );
  return program;
}

async function main(): Promise<number> {
  let code: number = exitCodes.usage;
  try {
    await buildProgram((ended) => {
      code = ended;
    }).parseAsync();
    return code;
  } catch (error) {
    // Commander has said what is wrong; help and version are no errors.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
    return fail(error);
  }
}

ignoreClosedPipe();
// Set rather than exit: what was written to a pipe still has to get out.
process.exitCode = await main();
