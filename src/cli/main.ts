#!/usr/bin/env node
import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { keeperVariable } from '../protocol/keeper-names.ts';

/** Whether this process only keeps the sockets of a primary, which it starts with the same arguments. */
function isKeeper([command, ...options]: readonly string[]): boolean {
  if (command !== 'start' || cluster.isWorker || process.env[keeperVariable] !== undefined) return false;
  return !options.some((option) => option === '--no-keeper' || option === '-h' || option === '--help');
}

async function main(args: readonly string[]): Promise<number> {
  // Neither loads the modules of the other, so a keeper stays small.
  if (!isKeeper(args)) return (await import('./command.ts')).runCommand();
  const { keep, endAs } = await import('../keeper/main.ts');
  return endAs(await keep(fileURLToPath(import.meta.url), args));
}

const code = await main(process.argv.slice(2));
// Set rather than exit: what was written to a pipe still has to get out.
process.exitCode = code;
// But nothing that was forgotten may keep a stopped app from ending.
setTimeout(() => process.exit(code), 3000).unref();
