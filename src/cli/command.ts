/** Runs the command line of this process. */
import { CommanderError } from 'commander';
import { fail } from './fail.ts';
import { buildProgram } from './program.ts';
import { exitCodes } from '../errors.ts';

/** Runs the command that the arguments of this process name. Resolves with its exit code. */
export async function runCommand(): Promise<number> {
  let code: number = exitCodes.usage;
  try {
    await buildProgram((ended) => {
      code = typeof ended === 'number' ? ended : exitCodes.done;
    }).parseAsync();
    return code;
  } catch (error) {
    // Commander has already printed what is wrong; help and version are not errors.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    return fail(error);
  }
}
