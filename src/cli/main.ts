#!/usr/bin/env node
import { CommanderError } from 'commander';
import { fail } from './fail.ts';
import { buildProgram } from './program.ts';
import { exitCodes } from '../errors.ts';

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

const code = await main();
// Set rather than exit: what was written to a pipe still has to get out.
process.exitCode = code;
// But nothing that was forgotten may keep a stopped app from ending.
setTimeout(() => process.exit(code), 3000).unref();
