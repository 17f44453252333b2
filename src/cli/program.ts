/**
 * Declares the commands and flags of `quiesce`. Each command is in its own file, which is imported only when the
 * command is called, so that each command starts fast. Each throws its error; one that can end otherwise returns its code.
 */
import { Argument, Command, Help } from 'commander';
import { addOperatorCommands, type Done } from './operator-commands.ts';
import { shells, type Shell } from './completion.ts';
import { versionFlags } from './options.ts';
import { ignoreClosedPipe } from './output.ts';
import type { StartOptions } from './start.ts';
import type { StartupKind, StartupOptions } from './startup/startup.ts';
import type { ValidateOptions } from './validate.ts';
import { exitMeanings } from '../errors.ts';
import { version } from '../version.ts';

const epilogue = `
Example:
  $ quiesce start app.js -i max

${new Help().boxWrap(`Exit codes: ${exitMeanings.join(', ')}`, 80)}`;

export function buildProgram(done: Done): Command {
  const program = new Command('quiesce')
    .description('Runs an Express app on every core, and brings all of it to rest for one exclusive job.')
    .version(version, versionFlags, 'print the version')
    .helpCommand(false)
    .helpOption('-h, --help', 'print help, also after a command')
    .configureHelp({
      subcommandTerm: (command) => [command.name(), ...command.registeredArguments.map(argumentTerm)].join(' '),
    })
    .exitOverride()
    .showHelpAfterError('Run with --help to see what there is.')
    .addHelpText('after', epilogue)
    .hook('preAction', (_program, command) => {
      // A primary writes its log without process.stdout: the first use of it makes a pipe non-blocking.
      if (command.name() !== 'start') ignoreClosedPipe();
    });

  program
    .command('start')
    .description('run an app, in the foreground')
    .argument('[file]', 'an ecosystem configuration or a script (default: ./ecosystem.config.js)')
    .option('--only <name>', 'only this app of the file')
    .option('--env <name>', 'add the variables of env_<name>')
    .option('-i, --instances <n>', "workers: a number, 'max', 0, or -n for all cores but n")
    .option('--port <n>', 'PORT for the app')
    .option('--admin-port <n>', 'the port of the admin server and its dashboard')
    .option(
      '--data-dir <dir>',
      'where lock, control socket and journal are (default: one place for all releases of the app)',
    )
    .option('--no-keeper', 'one process less: a primary that is killed takes the listening sockets with it')
    .action(async (file: string | undefined, options: StartOptions) =>
      done(await (await import('./start.ts')).start(file, options)),
    );

  addOperatorCommands(program, done);

  program
    .command('validate')
    .description('check a configuration, and show what each app will do')
    .argument('[file]', 'an ecosystem configuration or a script (default: ./ecosystem.config.js)')
    .option('--only <name>', 'only this app of the file')
    .option('--env <name>', 'with the variables of env_<name>')
    .option('--data-dir <dir>', 'with this data directory')
    .option('--json', 'as JSON')
    .action(async (file: string | undefined, options: ValidateOptions) =>
      done(await (await import('./validate.ts')).validate(file, options)),
    );

  program
    .command('startup')
    .description('print what runs the app at boot')
    .addArgument(
      new Argument('<kind>', 'a systemd unit, a PM2 configuration or a Dockerfile').choices([
        'systemd',
        'pm2',
        'docker',
      ]),
    )
    .argument('[file]', 'an ecosystem configuration or a script (default: ./ecosystem.config.js)')
    .option('--only <name>', 'this app of the file')
    .option('--env <name>', 'with the variables of env_<name>')
    .option('--data-dir <dir>', 'with this data directory (default: the usual one of systemd, Docker or the app)')
    .option('--user <name>', "who runs it (systemd; default: the owner of the app's folder, or a user of its own)")
    .option('--socket [address]', 'the socket unit beside it: systemd listens (systemd; default: on PORT and HOST)')
    .action(async (kind: StartupKind, file: string | undefined, options: StartupOptions) =>
      done(await (await import('./startup/startup.ts')).startup(kind, file, options)),
    );

  program
    .command('completion')
    .description('print completion for a shell')
    .addArgument(new Argument('<shell>', 'which').choices(shells))
    .addHelpText('after', '\nExample:\n  $ eval "$(quiesce completion bash)"')
    .action(async (shell: Shell) => {
      process.stdout.write((await import('./completion.ts')).completionScript(program, shell));
      done();
    });
  return program;
}

function argumentTerm(argument: Argument): string {
  return argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
}
