/** Ends a failed command: prints one message on standard error and returns the exit code of the contract. */
import { say, styled } from './output.ts';
import { toQuiesceError } from '../errors.ts';
import { visibleLine } from '../protocol/visible.ts';

interface ItemError {
  readonly pointer?: unknown;
  readonly detail?: unknown;
}

export function fail(thrown: unknown): number {
  const error = toQuiesceError(thrown);
  say(error.message, `${styled('red', 'quiesce:', process.stderr)} `);
  const { errors, errorCount } = error.extra;
  if (Array.isArray(errors)) {
    for (const { pointer, detail } of errors as ItemError[])
      say(visibleLine(`  ${String(pointer)}: ${String(detail)}`));
    if (typeof errorCount === 'number' && errorCount > errors.length) say(`  … and ${errorCount - errors.length} more`);
  }
  // The stack of an unexpected error helps to find its origin. It is printed only if LOG_LEVEL asks for it.
  if (error.code === 'internal' && process.env['LOG_LEVEL'] === 'debug') say(String((thrown as Error).stack));
  return error.exitCode;
}
