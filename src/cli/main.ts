#!/usr/bin/env node
/** The executable `quiesce`: runs a keeper or a command. */
import { fileURLToPath } from 'node:url';
import { keeperVariable } from '../protocol/keeper/names.ts';

/** Whether this process is a keeper: it only keeps the sockets of a primary that it starts with the same arguments. */
async function isKeeper([command, ...options]: readonly string[]): Promise<boolean> {
  if (command !== 'start' || process.env[keeperVariable] !== undefined) return false;
  if ((await import('node:cluster')).default.isWorker) return false;
  return !options.some((option) => option === '--no-keeper' || option === '-h' || option === '--help');
}

async function main(args: readonly string[]): Promise<number> {
  // None loads the modules of another, so a keeper stays small and a health check fast.
  if (!(await isKeeper(args))) {
    const code = args[0] === 'start' ? null : await (await import('./quick.ts')).runQuickly(args);
    return code ?? (await import('./command.ts')).runCommand();
  }
  const { keep, endAs } = await import('../keeper/main.ts');
  return endAs(await keep(fileURLToPath(import.meta.url), args));
}

const code = await main(process.argv.slice(2));
// `exitCode` instead of `exit`: data written to a pipe still has to be flushed.
process.exitCode = code;
// But an open handle that was forgotten must not keep a stopped app running.
setTimeout(() => process.exit(code), 3000).unref();
