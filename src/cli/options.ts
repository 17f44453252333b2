/** Options that `program.ts` declares and `quick.ts` reads without it: flags and help, as commander takes them. */

type Option = readonly [flags: string, help: string];

export const versionFlags = '-V, --version';

/** Which app a command is for. */
export const targetOptions: readonly Option[] = [
  ['--data-dir <dir>', 'the data directory of the running app (default: the one that was started from here)'],
  ['--only <name>', 'which app, where several run here'],
  ['--config <file>', 'the configuration it was started with, where it is not here'],
];

export const statusOptions: readonly Option[] = [
  ['--watch', 'and go on telling'],
  ['--json', 'as JSON, one object per line with --watch'],
];
